#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/utils/rnn.h>

#include <cstdint>
#include <span>
#include <vector>

#include "packseq/sequence/pack.hpp"

namespace packseq::detail {

/// Who stands where in a packed batch.
struct Layout {
  std::vector<std::int64_t> lengths;      ///< Of each sequence, in the caller's order: [B].
  std::vector<std::int64_t> order;        ///< The sequences, longest first: [B].
  std::vector<std::int64_t> batch_sizes;  ///< How many sequences reach each step: [T], or {0} if none has a step.
};

/// The layout of sequences of these lengths, those of equal length in the caller's order.
Layout make_layout(const char* function, std::vector<std::int64_t> lengths);

/// The layout of a packed batch, once it is known to be well formed.
Layout checked_layout(const char* function, const PackedSequence& packed);

/// A packed batch of this layout around `data` [N, *]; `enforce_sorted` as in `PackSequenceOptions`.
PackedSequence make_packed(const char* function, const Layout& layout, at::Tensor data, bool enforce_sorted);

/// From rows [B', *] for the sequences that are not empty, longest first, to [B, *] in the caller's order; empty ones
/// get zeros.
at::Tensor in_callers_order(const Layout& layout, const at::Tensor& rows);

/// The rows of `data` [N, *] with these numbers, int64 on the CPU.
at::Tensor select_rows(const at::Tensor& data, const at::Tensor& rows);

/// Whether LibTorch does with this dtype what it does with most, such as to copy rows: not with all integers, nor with
/// float8.
bool is_computed_with(c10::ScalarType dtype);

/// The same memory in a dtype that LibTorch computes with. Refuses what has a gradient to lose.
at::Tensor carried(const at::Tensor& tensor);

/// Copies numbers into an int64 tensor on the CPU.
at::Tensor to_tensor(std::span<const std::int64_t> numbers);

}  // namespace packseq::detail
