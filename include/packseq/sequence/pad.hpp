#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Scalar.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <vector>

#include "packseq/export.hpp"
#include "packseq/sequence/jagged.hpp"

namespace packseq {

/// Where a padded batch has its padding: after the end of a sequence, or before its beginning.
enum class PaddingSide { right, left };

/// The form in which sequences are padded.
struct PadOptions {
  bool batch_first = false;                       ///< [B, T, *] instead of [T, B, *].
  c10::Scalar padding_value = 0;                  ///< What the cells without a token hold.
  PaddingSide padding_side = PaddingSide::right;  ///< Where those cells are.
  std::optional<std::int64_t> total_length = {};  ///< T; the longest sequence's length where it is not set.
};

/// Pads sequences to the length T of the longest one: [T, B, *], or [B, T, *] with `batch_first`.
///
/// As `torch::nn::utils::rnn::pad_sequence`, for empty sequences too. Gradients flow to the real cells.
/// @throws c10::ValueError if `options.total_length` is less than the length of the longest sequence, or asks for a
///   batch of 2^63 bytes or more.
/// @throws c10::ValueError if the dtype of `sequences` does not hold `padding_value` exactly: as 0.1 is no float but
///   0.1f is, and 0.5 no integer. NaN is held by every floating-point dtype.
/// @throws c10::TypeError if `sequences` are of float8 and need a gradient.
/// @code
/// const auto padded = packseq::pad_sequence(ids, {.batch_first = true, .padding_value = 42});   // [3, 3]
/// @endcode
PACKSEQ_EXPORT at::Tensor pad_sequence(const Jagged& sequences, const PadOptions& options = {});

/// The same for sequences that each have a tensor, [L_i, *]; without gradients they are copied once, by one thread
/// unless packseq is compiled with OpenMP. The same conditions throw as for `Jagged`.
PACKSEQ_EXPORT at::Tensor pad_sequence(const std::vector<at::Tensor>& sequences, const PadOptions& options = {});

/// The same for sequences listed in braces.
inline at::Tensor pad_sequence(std::initializer_list<at::Tensor> sequences, const PadOptions& options = {}) {
  return packseq::pad_sequence(std::vector<at::Tensor>(sequences), options);
}

/// How to read a padded batch.
struct UnpadOptions {
  bool batch_first = false;                       ///< The batch is [B, T, *] instead of [T, B, *].
  PaddingSide padding_side = PaddingSide::right;  ///< Where its padding is.
};

/// Takes the real cells out of a padded batch, [T, B, *] or [B, T, *]: the inverse of `pad_sequence`.
/// @throws c10::ValueError if `padded` is undefined or has fewer than two dimensions.
/// @throws c10::TypeError if `padded` is sparse or nested, or `lengths` is not int64 on the CPU.
/// @throws c10::ValueError if `lengths` is not [B], is empty, or has an entry that is not in 0 ... T.
/// @throws c10::TypeError if `padded` is of float8 and needs a gradient.
/// @code
/// const auto padded = torch::tensor({{1, 2, 3}, {4, 5, 0}, {6, 0, 0}});
/// const auto ids = packseq::unpad_sequence(padded, torch::tensor({3, 2, 1}), {.batch_first = true});
/// @endcode
PACKSEQ_EXPORT Jagged unpad_sequence(const at::Tensor& padded, const at::Tensor& lengths,
                                     const UnpadOptions& options = {});

}  // namespace packseq
