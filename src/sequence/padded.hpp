#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "packseq/sequence/pad.hpp"
#include "sequence/place.hpp"

namespace packseq::detail {

/// The first two dimensions of a padded batch, and where its padding is.
struct PaddedShape {
  bool batch_first;
  PaddingSide padding_side;
  std::int64_t batch;
  std::int64_t steps;
};

/// The shape of an existing batch of at least two dimensions.
PaddedShape shape_of(const at::Tensor& padded, const UnpadOptions& options);

/// The shape of a batch for sequences of these lengths, once it is known to take fewer than 2^63 bytes in cells of
/// these sizes and bytes per element.
PaddedShape checked_shape(const char* function, const PadOptions& options, std::span<const std::int64_t> lengths,
                          at::IntArrayRef cell, std::size_t element_size);

/// The cells of `padded` that `rows` names, its first two dimensions flattened: [N, *].
at::Tensor gather_padded(const at::Tensor& padded, const at::Tensor& rows);

/// A padded batch in the making: padding everywhere, until the tokens are placed.
class PaddedBatch {
 public:
  /// Its cells are rows of `like` [N, *], whose dtype is known to hold the padding value once this returns.
  PaddedBatch(const char* function, const PadOptions& options, std::span<const std::int64_t> lengths,
              const at::Tensor& like);

  const PaddedShape& shape() const noexcept { return shape_; }

  /// The batch with `tokens`, a tensor [N, *] or sequences, at these rows of its flattened first two dimensions.
  template <class Tokens>
  at::Tensor with(const Tokens& tokens, const at::Tensor& rows) && {
    place(tokens, rows, cells_);
    return cells_.unflatten(
        0, {shape_.batch_first ? shape_.batch : shape_.steps, shape_.batch_first ? shape_.steps : shape_.batch});
  }

 private:
  PaddedShape shape_;
  at::Tensor cells_;
};

}  // namespace packseq::detail
