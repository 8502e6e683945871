#include "sequence/layout.hpp"

#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <numeric>

#include "sequence/check.hpp"

namespace packseq::detail {
namespace {

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

/// Refuses numbers of steps or sequences that a tensor may have, being without memory of its own, but no list. Others
/// that are too many are out of memory.
void check_listable(const char* function, const char* what, std::int64_t count) {
  constexpr std::int64_t most = std::int64_t{1} << 59;
  TORCH_CHECK_VALUE(count <= most, function, ": ", what, " is ", count, ", and must be at most 2^59");
}

/// The entries of one of the two indices of a packed batch, once it is known to be a permutation.
std::vector<std::int64_t> checked_permutation(const char* function, const char* name, const at::Tensor& indices,
                                              c10::Device device) {
  TORCH_CHECK_TYPE(indices.device() == device, function, ": ", name, " is on ", indices.device(), ", but data is on ",
                   device);
  auto entries = checked_lengths(function, name, indices.cpu());
  std::vector<bool> seen(entries.size(), false);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    TORCH_CHECK_VALUE(entries[i] < static_cast<std::int64_t>(entries.size()) && !seen[index(entries[i])], function,
                      ": ", name, "[", i, "] is ", entries[i], ": not a permutation of 0 ... ", entries.size() - 1);
    seen[index(entries[i])] = true;
  }
  return entries;
}

std::vector<std::int64_t> checked_order(const char* function, const PackedSequence& packed, std::int64_t nonempty) {
  const at::Tensor& sorted = packed.sorted_indices();
  const at::Tensor& unsorted = packed.unsorted_indices();
  TORCH_CHECK_VALUE(sorted.defined() == unsorted.defined(), function, ": only one of sorted_indices and ",
                    "unsorted_indices is set");
  if (!sorted.defined()) {
    TORCH_CHECK_VALUE(nonempty > 0, function, ": batch_sizes is {0}, and no sorted_indices tell how many sequences");
    check_listable(function, "batch_sizes[0]", nonempty);
    std::vector<std::int64_t> identity(index(nonempty));
    std::iota(identity.begin(), identity.end(), 0);
    return identity;
  }
  auto order = checked_permutation(function, "sorted_indices", sorted, packed.data().device());
  const auto inverse = checked_permutation(function, "unsorted_indices", unsorted, packed.data().device());
  TORCH_CHECK_VALUE(static_cast<std::int64_t>(order.size()) >= nonempty, function, ": sorted_indices has ",
                    order.size(), " entries, fewer than batch_sizes[0], ", nonempty);
  TORCH_CHECK_VALUE(inverse.size() == order.size(), function, ": unsorted_indices has ", inverse.size(),
                    " entries, and sorted_indices ", order.size());
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    TORCH_CHECK_VALUE(index(inverse[index(order[rank])]) == rank, function, ": unsorted_indices[", order[rank], "] is ",
                      inverse[index(order[rank])], ", and must be ", rank, ", the inverse of sorted_indices");
  }
  return order;
}

/// A dtype of the same size that LibTorch computes with.
c10::ScalarType carrier_of(c10::ScalarType dtype) {
  if (dtype == at::ScalarType::Bits16) return at::kShort;
  if (c10::isFloat8Type(dtype) || c10::isBitsType(dtype) || dtype == at::ScalarType::Float4_e2m1fn_x2) return at::kChar;
  if (dtype == at::kUInt16) return at::kShort;
  if (dtype == at::kUInt32) return at::kInt;
  return dtype == at::kUInt64 ? at::kLong : dtype;
}

/// What `move` makes of rows, whatever their dtype: it sees them in one that LibTorch computes with.
template <class Move>
at::Tensor moved(const at::Tensor& rows, const Move& move) {
  const at::Tensor result = move(carried(rows));
  return result.scalar_type() == rows.scalar_type() ? result : result.view(rows.scalar_type());
}

}  // namespace

Layout make_layout(const char* function, std::vector<std::int64_t> lengths) {
  const std::int64_t longest = *std::max_element(lengths.begin(), lengths.end());
  check_listable(function, "the length of the longest sequence", longest);
  // longer[n] counts the sequences longer than n: it is batch_sizes, and where those of length n begin in the order.
  std::vector<std::int64_t> longer(index(longest) + 1, 0);
  for (const std::int64_t length : lengths) {
    if (length > 0) ++longer[index(length) - 1];
  }
  for (std::size_t n = longer.size() - 1; n > 0; --n) longer[n - 1] += longer[n];
  std::vector<std::int64_t> batch_sizes(longer.begin(), longest > 0 ? longer.end() - 1 : longer.end());

  std::vector<std::int64_t> order(lengths.size());
  for (std::size_t sequence = 0; sequence < lengths.size(); ++sequence) {
    order[index(longer[index(lengths[sequence])]++)] = static_cast<std::int64_t>(sequence);
  }
  return {std::move(lengths), std::move(order), std::move(batch_sizes)};
}

Layout checked_layout(const char* function, const PackedSequence& packed) {
  check_has_rows(function, "data", packed.data());
  auto batch_sizes = checked_batch_sizes(function, packed.batch_sizes(), packed.data().size(0));
  for (std::size_t step = 1; step < batch_sizes.size(); ++step) {
    TORCH_CHECK_VALUE(batch_sizes[step] > 0, function, ": batch_sizes[", step,
                      "] is 0, and only a batch of nothing but empty sequences may have it, as its sole entry");
  }
  auto order = checked_order(function, packed, batch_sizes.front());
  std::vector<std::int64_t> lengths(order.size(), 0);
  for (std::size_t step = 0; step < batch_sizes.size(); ++step) {
    const std::int64_t going_on = step + 1 < batch_sizes.size() ? batch_sizes[step + 1] : 0;
    for (std::int64_t rank = going_on; rank < batch_sizes[step]; ++rank) {
      lengths[index(order[index(rank)])] = static_cast<std::int64_t>(step) + 1;
    }
  }
  return {std::move(lengths), std::move(order), std::move(batch_sizes)};
}

PackedSequence make_packed(const char* function, const Layout& layout, at::Tensor data, bool enforce_sorted) {
  if (enforce_sorted) {
    for (std::size_t i = 1; i < layout.lengths.size(); ++i) {
      TORCH_CHECK_VALUE(layout.lengths[i] <= layout.lengths[i - 1], function, ": enforce_sorted is set, but sequence ",
                        i, " of length ", layout.lengths[i], " comes after one of length ", layout.lengths[i - 1]);
    }
    // Without indices nobody could tell how many empty sequences there are.
    if (layout.lengths.back() > 0) return PackedSequence(std::move(data), to_tensor(layout.batch_sizes));
  }
  at::Tensor sorted_indices = to_tensor(layout.order).to(data.device());
  return PackedSequence(std::move(data), to_tensor(layout.batch_sizes), std::move(sorted_indices));
}

at::Tensor in_callers_order(const Layout& layout, const at::Tensor& rows) {
  auto sizes = rows.sizes().vec();
  const auto nonempty = std::span(layout.order).first(index(sizes[0]));
  sizes[0] = static_cast<std::int64_t>(layout.order.size());
  return moved(rows, [&](const at::Tensor& from) {
    return from.new_zeros(sizes).index_copy_(0, to_tensor(nonempty).to(from.device()), from);
  });
}

bool is_computed_with(c10::ScalarType dtype) { return carrier_of(dtype) == dtype; }

at::Tensor carried(const at::Tensor& tensor) {
  if (is_computed_with(tensor.scalar_type())) return tensor;
  TORCH_CHECK_TYPE(!(at::GradMode::is_enabled() && tensor.requires_grad()), "rows of ", tensor.scalar_type(),
                   " are moved as bits, and would lose their gradient: detach() them, or take a wider dtype");
  return tensor.view(carrier_of(tensor.scalar_type()));
}

at::Tensor select_rows(const at::Tensor& data, const at::Tensor& rows) {
  return moved(data, [&](const at::Tensor& from) { return from.index_select(0, rows.to(from.device())); });
}

at::Tensor to_tensor(std::span<const std::int64_t> numbers) {
  at::Tensor tensor = at::empty({static_cast<std::int64_t>(numbers.size())}, at::kLong);
  std::copy(numbers.begin(), numbers.end(), tensor.mutable_data_ptr<std::int64_t>());
  return tensor;
}

}  // namespace packseq::detail
