#include "nn/tries.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>

#include "engine/autograd.hpp"

namespace packseq::nn::detail {
namespace {

/// Which documents begin with the same bits in some rows of their states: equal numbers, [B].
std::vector<std::int32_t> find_starts(at::TensorList states, std::int64_t first_row, std::int64_t rows) {
  const std::int64_t documents = states.front().size(1);
  const auto is_less = [&](std::int32_t a, std::int32_t b) {
    for (const at::Tensor& state : states) {
      const auto bytes = static_cast<std::size_t>(state.size(2)) * static_cast<std::size_t>(state.element_size());
      const auto* const data = static_cast<const char*>(state.const_data_ptr());
      for (std::int64_t row = first_row; row < first_row + rows; ++row) {
        const auto of_document = [&](std::int32_t rank) {
          return data + static_cast<std::size_t>(row * documents + rank) * bytes;
        };
        const int order = std::memcmp(of_document(a), of_document(b), bytes);
        if (order != 0) return order < 0;
      }
    }
    return false;
  };
  std::map<std::int32_t, std::int32_t, decltype(is_less)> numbers(is_less);
  std::vector<std::int32_t> starts;
  for (std::int32_t rank = 0; rank < documents; ++rank) {
    starts.push_back(numbers.emplace(rank, static_cast<std::int32_t>(numbers.size())).first->second);
  }
  return starts;
}

}  // namespace

std::vector<engine::Trie> find_tries(const engine::Network& network, bool is_state_given, double most_beginnings) {
  if (!(most_beginnings > 0) || engine::records_gradients(network.states)) return {};
  const at::Tensor contiguous = network.batch_sizes.contiguous();
  const std::span batch_sizes(contiguous.const_data_ptr<std::int64_t>(), static_cast<std::size_t>(contiguous.size(0)));
  const std::int64_t directions = network.bidirectional ? 2 : 1;
  std::vector<packseq::detail::Beginnings> all;
  std::int64_t count = 0;
  for (std::int64_t direction = 0; direction < directions; ++direction) {
    const at::Tensor ids =
        direction == 0 ? network.index : network.index.index_select(0, packseq::detail::reversed_tokens(batch_sizes));
    const std::int64_t layers = network.parts_after_first_layer() ? 1 : network.num_layers;
    const auto starts = is_state_given ? find_starts(network.states, direction, layers) : std::vector<std::int32_t>();
    count += all.emplace_back(ids, batch_sizes, starts).count();
  }
  if (!is_worth_sharing(count, directions * network.index.size(0), most_beginnings)) return {};
  std::vector<engine::Trie> tries;
  for (const auto& beginnings : all) tries.push_back(beginnings.trie());
  return tries;
}

}  // namespace packseq::nn::detail
