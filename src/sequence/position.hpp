#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cstdint>
#include <span>
#include <vector>

#include "sequence/layout.hpp"
#include "sequence/padded.hpp"

namespace packseq::detail {

/// Row of a token among sequences that lie end to end.
class JaggedPosition {
 public:
  explicit JaggedPosition(std::span<const std::int64_t> lengths);
  std::int64_t operator()(std::int64_t sequence, std::int64_t step) const {
    return first_[static_cast<std::size_t>(sequence)] + step;
  }

 private:
  std::vector<std::int64_t> first_;
};

/// Row of a token in a padded batch whose first two dimensions are flattened.
class PaddedPosition {
 public:
  PaddedPosition(const PaddedShape& shape, std::span<const std::int64_t> lengths);
  std::int64_t operator()(std::int64_t sequence, std::int64_t step) const {
    return first_[static_cast<std::size_t>(sequence)] + step * stride_;
  }

 private:
  std::vector<std::int64_t> first_;
  std::int64_t stride_;
};

/// Row of a token in a packed batch.
class PackedPosition {
 public:
  explicit PackedPosition(const Layout& layout);
  std::int64_t operator()(std::int64_t sequence, std::int64_t step) const {
    return first_[static_cast<std::size_t>(step)] + rank_[static_cast<std::size_t>(sequence)];
  }

 private:
  std::vector<std::int64_t> first_;
  std::vector<std::int64_t> rank_;
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
