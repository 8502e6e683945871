#include "sequence/reduce.hpp"

#include <ATen/ops/empty.h>

#include <numeric>
#include <vector>

namespace packseq::detail {

at::Tensor ranks_of_tokens(std::span<const std::int64_t> batch_sizes) {
  at::Tensor ranks = at::empty({std::reduce(batch_sizes.begin(), batch_sizes.end())}, at::kLong);
  auto* rank = ranks.mutable_data_ptr<std::int64_t>();
  for (const std::int64_t size : batch_sizes) {
    std::iota(rank, rank + size, 0);
    rank += size;
  }
  return ranks;
}

at::Tensor sums(std::span<const std::int64_t> batch_sizes, const at::Tensor& data) {
  auto sizes = data.sizes().vec();
  sizes[0] = batch_sizes.front();
  return data.new_zeros(sizes).index_add(0, ranks_of_tokens(batch_sizes).to(data.device()), data);
}

at::Tensor largest(std::span<const std::int64_t> batch_sizes, const at::Tensor& data, const c10::Scalar& initial) {
  auto sizes = data.sizes().vec();
  sizes[0] = batch_sizes.front();
  std::vector<std::int64_t> column(sizes.size(), 1);
  column[0] = data.size(0);
  const at::Tensor ranks = ranks_of_tokens(batch_sizes).to(data.device()).view(column);
  return data.new_full(sizes, initial).scatter_reduce(0, ranks.expand_as(data), data, "amax", /*include_self=*/false);
}

}  // namespace packseq::detail
