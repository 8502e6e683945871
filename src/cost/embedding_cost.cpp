#include "packseq/cost/embedding_cost.hpp"

#include <c10/util/Exception.h>

#include <numeric>

#include "cost/count.hpp"
#include "sequence/check.hpp"

namespace packseq::cost {
namespace {

using detail::Count;

constexpr std::int64_t id_size = sizeof(std::int64_t);

void check_size(const char* function, const char* name, std::int64_t value) {
  TORCH_CHECK_VALUE(value > 0, function, ": embedding.", name, " is ", value, ", and must be positive");
}

/// N, once embedding and lengths are known to be right.
Count checked_tokens(const char* function, const Embedding& embedding, const at::Tensor& lengths) {
  check_size(function, "num_embeddings", embedding.num_embeddings);
  check_size(function, "embedding_dim", embedding.embedding_dim);
  const auto entries = packseq::detail::checked_lengths(function, "lengths", lengths);
  return std::accumulate(entries.begin(), entries.end(), Count(0));
}

}  // namespace

std::int64_t forward_flops(const Embedding& embedding, const at::Tensor& lengths) {
  checked_tokens("forward_flops", embedding, lengths);
  return 0;
}

std::int64_t backward_flops(const Embedding& embedding, const at::Tensor& lengths) {
  return (checked_tokens("backward_flops", embedding, lengths) * embedding.embedding_dim).checked("backward_flops");
}

std::int64_t activation_bytes(const Embedding& embedding, const at::Tensor& lengths, std::int64_t element_size) {
  const Count tokens = checked_tokens("activation_bytes", embedding, lengths);
  TORCH_CHECK_VALUE(element_size > 0, "activation_bytes: element_size is ", element_size, ", and must be positive");
  return (tokens * (id_size + Count(embedding.embedding_dim) * element_size)).checked("activation_bytes");
}

}  // namespace packseq::cost
