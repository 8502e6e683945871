#include "sequence/position.hpp"

#include <numeric>

namespace packseq::detail {

JaggedPosition::JaggedPosition(std::span<const std::int64_t> lengths) : first_(lengths.size()) {
  std::exclusive_scan(lengths.begin(), lengths.end(), first_.begin(), std::int64_t{0});
}

PaddedPosition::PaddedPosition(const PaddedShape& shape, std::span<const std::int64_t> lengths)
    : first_(lengths.size()), stride_(shape.batch_first ? 1 : shape.batch) {
  const std::int64_t sequence_stride = shape.batch_first ? shape.steps : 1;
  for (std::size_t sequence = 0; sequence < lengths.size(); ++sequence) {
    const std::int64_t step = shape.padding_side == PaddingSide::left ? shape.steps - lengths[sequence] : 0;
    first_[sequence] = static_cast<std::int64_t>(sequence) * sequence_stride + step * stride_;
  }
}

PackedPosition::PackedPosition(const Layout& layout) : first_(layout.batch_sizes.size()), rank_(layout.order.size()) {
  std::exclusive_scan(layout.batch_sizes.begin(), layout.batch_sizes.end(), first_.begin(), std::int64_t{0});
  for (std::size_t rank = 0; rank < rank_.size(); ++rank) {
    rank_[static_cast<std::size_t>(layout.order[rank])] = static_cast<std::int64_t>(rank);
  }
}

}  // namespace packseq::detail
