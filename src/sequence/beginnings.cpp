#include "sequence/beginnings.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <iterator>
#include <numeric>

namespace packseq::detail {
namespace {

std::size_t as_size(std::int64_t n) { return static_cast<std::size_t>(n); }

std::vector<std::int64_t> offsets_of(std::span<const std::int64_t> batch_sizes) {
  std::vector<std::int64_t> offsets = {0};
  std::partial_sum(batch_sizes.begin(), batch_sizes.end(), std::back_inserter(offsets));
  return offsets;
}

/// Of the documents that are not empty, longest first.
std::vector<std::int32_t> lengths_of(std::span<const std::int64_t> batch_sizes) {
  std::vector<std::int32_t> lengths(as_size(batch_sizes.front()));
  for (std::size_t step = 0; step < batch_sizes.size(); ++step) {
    const std::int64_t going_on = step + 1 < batch_sizes.size() ? batch_sizes[step + 1] : 0;
    for (std::int64_t rank = going_on; rank < batch_sizes[step]; ++rank) {
      lengths[as_size(rank)] = static_cast<std::int32_t>(step) + 1;
    }
  }
  return lengths;
}

at::Tensor make_numbers(std::int64_t count) { return at::empty({count}, at::kInt); }

}  // namespace

Beginnings::Beginnings(const at::Tensor& ids, std::span<const std::int64_t> batch_sizes,
                       std::span<const std::int32_t> starts)
    : offsets_(offsets_of(batch_sizes)), lengths_(lengths_of(batch_sizes)), documents_(lengths_.size()) {
  for (std::size_t i = 0; i < documents_.size(); ++i) documents_[i] = {static_cast<std::int32_t>(i), 0};
  const at::Tensor contiguous = ids.contiguous();
  if (ids.scalar_type() == at::kInt) {
    find(contiguous.const_data_ptr<std::int32_t>(), starts);
  } else {
    find(contiguous.const_data_ptr<std::int64_t>(), starts);
  }
}

template <class Id>
void Beginnings::find(const Id* ids, std::span<const std::int32_t> starts) {
  const auto start = [&](std::int32_t rank) { return starts.empty() ? 0 : starts[as_size(rank)]; };
  const auto id = [&](std::int32_t rank, std::int32_t step) { return ids[token(rank, step)]; };
  const auto common = [&](std::int32_t a, std::int32_t b) {
    const std::int32_t most = start(a) == start(b) ? std::min(length(a), length(b)) : 0;
    std::int32_t step = 0;
    while (step < most && id(a, step) == id(b, step)) ++step;
    return step;
  };
  std::ranges::stable_sort(documents_, [&](const Document& a, const Document& b) {
    if (start(a.rank) != start(b.rank)) return start(a.rank) < start(b.rank);
    const std::int32_t step = common(a.rank, b.rank);
    if (step == length(a.rank) || step == length(b.rank)) return length(a.rank) < length(b.rank);
    return id(a.rank, step) < id(b.rank, step);
  });
  for (std::size_t i = 0; i < documents_.size(); ++i) {
    if (i > 0) documents_[i].common = common(documents_[i - 1].rank, documents_[i].rank);
    count_ += length(documents_[i].rank) - documents_[i].common;
  }
}

std::vector<std::int64_t> Beginnings::count_by_step() const {
  // How many more there are than in the step before; and one place more than steps.
  std::vector<std::int64_t> more(offsets_.size());
  for (const Document& document : documents_) {
    ++more[as_size(document.common)];
    --more[as_size(length(document.rank))];
  }
  more.pop_back();
  std::partial_sum(more.begin(), more.end(), more.begin());
  return more;
}

Trie Beginnings::trie() const {
  const auto batch_sizes = count_by_step();
  const auto steps = static_cast<std::int64_t>(batch_sizes.size());
  Trie trie = {at::empty({steps}, at::kLong), make_numbers(count_), make_numbers(offsets_.back()),
               make_numbers(count_)};
  std::copy(batch_sizes.begin(), batch_sizes.end(), trie.batch_sizes.mutable_data_ptr<std::int64_t>());
  auto* const paths = trie.paths.mutable_data_ptr<std::int32_t>();
  auto* const nodes = trie.nodes.mutable_data_ptr<std::int32_t>();
  auto* const tokens = trie.tokens.mutable_data_ptr<std::int32_t>();
  auto next = offsets_of(batch_sizes);          // the next node of each step
  std::vector<std::int32_t> last(next.size());  // and the last one
  std::int32_t path = -1;
  std::int32_t path_count = 0;
  std::int32_t length_before = 0;
  for (const auto& [rank, common] : documents_) {
    // What a document goes on from stays on its path unless another document goes on from it already.
    if (length(rank) > common)
      path = common > 0 && common == length_before ? paths[last[as_size(common) - 1]] : path_count++;
    for (std::int32_t step = 0; step < length(rank); ++step) {
      if (step >= common) {
        const auto node = static_cast<std::int32_t>(next[as_size(step)]++);
        last[as_size(step)] = node;
        paths[node] = path;
        tokens[node] = static_cast<std::int32_t>(token(rank, step));
      }
      nodes[token(rank, step)] = last[as_size(step)];
    }
    length_before = length(rank);
  }
  return trie;
}

at::Tensor reversed_tokens(std::span<const std::int64_t> batch_sizes) {
  const auto offsets = offsets_of(batch_sizes);
  const auto lengths = lengths_of(batch_sizes);
  at::Tensor all = make_numbers(offsets.back());
  auto* token = all.mutable_data_ptr<std::int32_t>();
  for (std::size_t step = 0; step < batch_sizes.size(); ++step) {
    for (std::int64_t rank = 0; rank < batch_sizes[step]; ++rank) {
      *token++ = static_cast<std::int32_t>(offsets[as_size(lengths[as_size(rank)]) - 1 - step] + rank);
    }
  }
  return all;
}

at::Tensor last_tokens(std::span<const std::int64_t> batch_sizes) {
  at::Tensor all = make_numbers(batch_sizes.front());
  auto* const last = all.mutable_data_ptr<std::int32_t>();
  std::int32_t token = 0;
  for (const std::int64_t live : batch_sizes) {
    for (std::int64_t rank = 0; rank < live; ++rank) last[rank] = token++;
  }
  return all;
}

}  // namespace packseq::detail
