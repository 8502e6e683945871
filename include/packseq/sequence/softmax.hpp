#pragma once

#include "packseq/export.hpp"
#include "packseq/sequence/pack.hpp"

namespace packseq {

/// The softmax over each document's tokens, number by number, in the same layout: e^x over the sum of e^x. Data [N, *].
///
/// As `torch::softmax` over a document's steps, and so for any numbers: the document's largest is subtracted from all,
/// so that none is too large; -infinity gets 0. A document with NaN, +infinity or nothing but -infinity is all NaN
/// there, as it is in LibTorch. Half precision is summed in single. Differentiable, also twice.
///
/// Weights of a document's tokens from scores of them, and their mean so weighted, are attention pooling:
/// @throws c10::ValueError or c10::TypeError if `packed` is malformed (see `lengths`).
/// @throws c10::TypeError if the data is not floating-point.
/// @code
/// packseq::nn::Linear score(5, 1);
/// const auto weights = packseq::softmax(score(output));   // data [6, 1], of each document the sum 1
/// const auto attended = packseq::sum_pool(   // [3, 5]
///     packseq::map(output, weights, [](const auto& numbers, const auto& weight) { return numbers * weight; }));
/// @endcode
PACKSEQ_EXPORT PackedSequence softmax(const PackedSequence& packed);

}  // namespace packseq
