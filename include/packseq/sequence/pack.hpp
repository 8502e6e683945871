#pragma once

#include <torch/nn/utils/rnn.h>

#include <initializer_list>
#include <tuple>
#include <vector>

#include "packseq/export.hpp"
#include "packseq/sequence/jagged.hpp"
#include "packseq/sequence/pad.hpp"

namespace packseq {

/// LibTorch's own packed batch: `data` [N, *] holds the first elements of all sequences, then the second ones, and so
/// on, the longest sequence first in each step; `batch_sizes` [T] counts the sequences that reach a step.
///
/// packseq extends it in one way: sequences may be empty. They sort last, so that `sorted_indices` (then always set)
/// has more entries than the first of `batch_sizes`; a batch of nothing but empty sequences has `batch_sizes` {0}.
/// `packed.to(options)` gives it another dtype or device, `batch_sizes` staying on the CPU.
///
/// Its data may be of any dtype. LibTorch copies no rows of float8, so that packseq moves these as bits: where they
/// need a gradient, what moves them throws c10::TypeError.
using torch::nn::utils::rnn::PackedSequence;

/// How sequences are packed.
struct PackSequenceOptions {
  /// Refuse sequences that do not come longest first, and pack them without `sorted_indices` (as LibTorch does by
  /// default). Otherwise they come in any order, and every function that unpacks restores it.
  bool enforce_sorted = false;
};

/// Packs sequences directly, never through a padded batch; those of equal length keep their order.
/// @throws c10::ValueError if `options.enforce_sorted` and a sequence is longer than the one before it.
/// @throws c10::ValueError if a sequence is longer than 2^59, as one without memory of its own may be.
/// @throws c10::TypeError if the sequences are of float8 and need a gradient.
/// @code
/// const auto packed = packseq::pack_sequence(ids);   // data 1 4 6 2 5 3, batch_sizes 3 2 1
/// @endcode
PACKSEQ_EXPORT PackedSequence pack_sequence(const Jagged& sequences, const PackSequenceOptions& options = {});

/// The same for sequences that each have a tensor, [L_i, *]; without gradients they are copied once, by one thread
/// unless packseq is compiled with OpenMP. The same conditions throw as for `Jagged`.
PACKSEQ_EXPORT PackedSequence pack_sequence(const std::vector<at::Tensor>& sequences,
                                            const PackSequenceOptions& options = {});

/// The same for sequences listed in braces.
inline PackedSequence pack_sequence(std::initializer_list<at::Tensor> sequences,
                                    const PackSequenceOptions& options = {}) {
  return packseq::pack_sequence(std::vector<at::Tensor>(sequences), options);
}

/// How a padded batch is packed.
struct PackPaddedSequenceOptions {
  bool batch_first = false;                       ///< The batch is [B, T, *] instead of [T, B, *].
  bool enforce_sorted = false;                    ///< As in `PackSequenceOptions`.
  PaddingSide padding_side = PaddingSide::right;  ///< Where its padding is.
};

/// Packs the real cells of a padded batch, [T, B, *] or [B, T, *]; `lengths` is int64 [B] on the CPU.
/// @throws c10::ValueError if `input` is undefined or has fewer than two dimensions.
/// @throws c10::TypeError if `input` is sparse or nested, or `lengths` is not int64 on the CPU.
/// @throws c10::ValueError if `lengths` is not [B], is empty, or has an entry that is not in 0 ... T, or above 2^59.
/// @throws c10::ValueError if `options.enforce_sorted` and an entry of `lengths` is larger than the one before it.
/// @throws c10::TypeError if `input` is of float8 and needs a gradient.
/// @code
/// const auto padded = torch::tensor({{1, 2, 3}, {4, 5, 0}, {6, 0, 0}});
/// const auto lengths = torch::tensor({3, 2, 1});
/// const auto packed = packseq::pack_padded_sequence(padded, lengths, {.batch_first = true});   // data 1 4 6 2 5 3
/// @endcode
PACKSEQ_EXPORT PackedSequence pack_padded_sequence(const at::Tensor& input, const at::Tensor& lengths,
                                                   const PackPaddedSequenceOptions& options = {});

/// Pads a packed batch in the caller's order: the padded tensor [T, B, *] or [B, T, *], and the lengths, int64 [B].
/// @throws c10::ValueError or c10::TypeError if `packed` is malformed (see `lengths`).
/// @throws c10::ValueError if `options.total_length` is less than the length of the longest sequence, or asks for a
///   batch of 2^63 bytes or more.
/// @throws c10::ValueError if the dtype of `packed` does not hold `padding_value` exactly (see `pad_sequence`).
/// @throws c10::TypeError if `packed` is of float8 and needs a gradient.
/// @code
/// const auto [padded, lengths] = packseq::pad_packed_sequence(output, {.batch_first = true});   // [3, 3, 5] and 3 2 1
/// @endcode
PACKSEQ_EXPORT std::tuple<at::Tensor, at::Tensor> pad_packed_sequence(const PackedSequence& packed,
                                                                      const PadOptions& options = {});

/// The sequences of a packed batch, in the caller's order: the inverse of `pack_sequence`.
/// @throws c10::ValueError or c10::TypeError if `packed` is malformed (see `lengths`).
/// @throws c10::TypeError if `packed` is of float8 and needs a gradient.
/// @code
/// const auto sequences = packseq::unpack_sequence(packed);
/// sequences[0];         // the first document, [3]
/// sequences.unbind();   // all of them, as LibTorch's std::vector<torch::Tensor>
/// @endcode
PACKSEQ_EXPORT Jagged unpack_sequence(const PackedSequence& packed);

/// The length of each sequence of a packed batch in the caller's order, int64 [B] on the CPU.
/// @throws c10::ValueError if `data` is undefined or has no dimension.
/// @throws c10::TypeError if `data` is sparse or nested.
/// @throws c10::TypeError if `batch_sizes` is not int64 on the CPU, or one of the indices not int64 on the device of
///   `data`.
/// @throws c10::ValueError if `batch_sizes` is not [T] with T > 0, grows, has not the sum N, or has an entry below 1,
///   other than the {0} of a batch of nothing but empty sequences; or if one is above 2^59.
/// @throws c10::ValueError if only one of the indices is set, or they are not permutations of 0 ... B - 1, B at least
///   `batch_sizes[0]`, one the inverse of the other.
/// @code
/// const auto lengths = packseq::lengths(packed);   // 3 2 1
/// @endcode
PACKSEQ_EXPORT at::Tensor lengths(const PackedSequence& packed);

}  // namespace packseq
