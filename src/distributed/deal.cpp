#include "distributed/deal.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <numeric>
#include <queue>
#include <tuple>

namespace packseq::distributed::detail {

std::vector<std::int64_t> deal(std::span<const std::int64_t> lengths, std::int64_t ranks) {
  std::vector<std::size_t> longest_first(lengths.size());
  std::iota(longest_first.begin(), longest_first.end(), 0);
  std::stable_sort(longest_first.begin(), longest_first.end(),
                   [lengths](std::size_t a, std::size_t b) { return lengths[a] > lengths[b]; });

  using Load = std::tuple<std::int64_t, std::int64_t, std::int64_t>;  // tokens, documents, rank
  std::vector<Load> loads;
  for (std::int64_t rank = 0; rank < ranks; ++rank) loads.emplace_back(0, 0, rank);
  std::priority_queue<Load, std::vector<Load>, std::greater<>> least(std::greater<>(), std::move(loads));

  std::vector<std::int64_t> rank_of(lengths.size());
  for (const std::size_t document : longest_first) {
    const auto [tokens, documents, rank] = least.top();
    least.pop();
    rank_of[document] = rank;
    least.emplace(tokens + lengths[document], documents + 1, rank);
  }
  return rank_of;
}

}  // namespace packseq::distributed::detail
