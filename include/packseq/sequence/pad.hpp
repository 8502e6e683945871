#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Scalar.h>

#include "packseq/export.hpp"
#include "packseq/sequence/jagged.hpp"

namespace packseq {

/// The form of a padded batch.
struct PadSequenceOptions {
  bool batch_first = false;       ///< [B, T, *] instead of [T, B, *].
  c10::Scalar padding_value = 0;  ///< What the cells after the end of a sequence hold.
};

/// Pads sequences to the length T of the longest one: [T, B, *], or [B, T, *] with `batch_first`.
///
/// As `torch::nn::utils::rnn::pad_sequence`, for empty sequences too. Gradients flow to the real cells.
/// @throws c10::ValueError if the dtype of `sequences` cannot hold `padding_value`: an integer must be held exactly;
///   a floating-point number is rounded to the nearest one of a floating-point dtype, and refused beyond its range.
/// @code
/// const auto padded = packseq::pad_sequence(ids, {.batch_first = true, .padding_value = 42});   // [3, 3]
/// @endcode
PACKSEQ_EXPORT at::Tensor pad_sequence(const Jagged& sequences, const PadSequenceOptions& options = {});

/// How to read a padded batch.
struct UnpadSequenceOptions {
  bool batch_first = false;  ///< The batch is [B, T, *] instead of [T, B, *].
};

/// Takes the real cells out of a padded batch, [T, B, *] or [B, T, *]: the inverse of `pad_sequence`.
/// @throws c10::ValueError if `padded` is undefined or has fewer than two dimensions.
/// @throws c10::TypeError if `lengths` is not int64 on the CPU.
/// @throws c10::ValueError if `lengths` is not [B], is empty, or has an entry that is not in 0 ... T.
/// @code
/// const auto sequences = packseq::unpad_sequence(padded, torch::tensor({3, 2, 1}), {.batch_first = true});
/// @endcode
PACKSEQ_EXPORT Jagged unpad_sequence(const at::Tensor& padded, const at::Tensor& lengths,
                                     const UnpadSequenceOptions& options = {});

}  // namespace packseq
