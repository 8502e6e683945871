#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
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
Layout make_layout(std::vector<std::int64_t> lengths);

/// The layout of a packed batch, once it is known to be well formed.
Layout checked_layout(const char* function, const PackedSequence& packed);

/// A packed batch of this layout around `data` [N, *]; `enforce_sorted` as in `PackSequenceOptions`.
PackedSequence make_packed(const char* function, const Layout& layout, at::Tensor data, bool enforce_sorted);

/// Copies numbers into an int64 tensor on the CPU.
at::Tensor to_tensor(std::span<const std::int64_t> numbers);

/// Row of a token among sequences that lie end to end.
class JaggedPosition {
 public:
  explicit JaggedPosition(std::span<const std::int64_t> lengths);
  std::int64_t operator()(std::int64_t sequence, std::int64_t step) const {
    return offsets_[static_cast<std::size_t>(sequence)] + step;
  }

 private:
  std::vector<std::int64_t> offsets_;
};

/// Row of a token in a padded batch whose first two dimensions are flattened.
struct PaddedPosition {
  bool batch_first;
  std::int64_t batch;
  std::int64_t steps;
  std::int64_t operator()(std::int64_t sequence, std::int64_t step) const {
    return batch_first ? sequence * steps + step : step * batch + sequence;
  }
};

/// `position` of every token in packed order, int64 [N]: what `index_select` needs in order to pack.
template <class Position>
at::Tensor rows_in_packed_order(const Layout& layout, const Position& position) {
  std::int64_t tokens = 0;
  for (const std::int64_t size : layout.batch_sizes) tokens += size;
  at::Tensor rows = at::empty({tokens}, at::kLong);
  auto* row = rows.mutable_data_ptr<std::int64_t>();
  for (std::size_t step = 0; step < layout.batch_sizes.size(); ++step) {
    for (std::int64_t rank = 0; rank < layout.batch_sizes[step]; ++rank) {
      *row++ = position(layout.order[static_cast<std::size_t>(rank)], static_cast<std::int64_t>(step));
    }
  }
  return rows;
}

/// `position` of every token, sequence by sequence, int64 [N].
template <class Position>
at::Tensor rows_in_jagged_order(std::span<const std::int64_t> lengths, const Position& position) {
  std::int64_t tokens = 0;
  for (const std::int64_t length : lengths) tokens += length;
  at::Tensor rows = at::empty({tokens}, at::kLong);
  auto* row = rows.mutable_data_ptr<std::int64_t>();
  for (std::size_t sequence = 0; sequence < lengths.size(); ++sequence) {
    for (std::int64_t step = 0; step < lengths[sequence]; ++step) {
      *row++ = position(static_cast<std::int64_t>(sequence), step);
    }
  }
  return rows;
}

}  // namespace packseq::detail
