#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "packseq/export.hpp"
#include "packseq/sequence/pad.hpp"

namespace packseq {

/// The padded batch that a mask is for; as in `PadOptions`.
struct MaskOptions {
  bool batch_first = false;                       ///< [B, T] instead of [T, B].
  PaddingSide padding_side = PaddingSide::right;  ///< Where the padding is.
  std::optional<std::int64_t> total_length = {};  ///< T; the longest sequence's length where it is not set.
};

/// Which cells of a padded batch are real: bool [T, B], or [B, T] with `batch_first`, on the CPU.
///
/// `lengths` is int64 [B] on the CPU. `torch::nn::MultiheadAttention` wants the opposite as its `key_padding_mask`,
/// [B, T]: `mask(lengths, {.batch_first = true}).logical_not()`.
/// @throws c10::TypeError if `lengths` is not int64 on the CPU.
/// @throws c10::ValueError if `lengths` is not of one dimension, is empty, or has a negative entry.
/// @throws c10::ValueError if `options.total_length` is less than the longest length, or asks for 2^63 cells or more.
/// @code
/// const auto real = packseq::mask(torch::tensor({3, 2, 1}), {.batch_first = true});   // 1 1 1, 1 1 0, 1 0 0
/// @endcode
PACKSEQ_EXPORT at::Tensor mask(const at::Tensor& lengths, const MaskOptions& options = {});

}  // namespace packseq
