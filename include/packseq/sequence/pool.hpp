#pragma once

#include <ATen/core/Tensor.h>

#include "packseq/export.hpp"
#include "packseq/sequence/pack.hpp"

namespace packseq {

/// The sum over each document's tokens, in the caller's order: from data [N, *] to [B, *].
///
/// An empty document has zeros, as a bag without entries has in `torch::nn::EmbeddingBag`. As in `torch::sum`, integers
/// and bool become int64; half precision is summed in single. Differentiable, also twice.
/// @throws c10::ValueError or c10::TypeError if `packed` is malformed (see `lengths`).
/// @code
/// const auto bag = packseq::sum_pool(embedded);   // data [6, 4] to [3, 4]
/// @endcode
PACKSEQ_EXPORT at::Tensor sum_pool(const PackedSequence& packed);

/// The mean over each document's tokens, in the caller's order: from data [N, *] to [B, *].
///
/// An empty document has zeros. Half precision is summed in single. Differentiable, also twice.
/// @throws c10::ValueError or c10::TypeError if `packed` is malformed (see `lengths`).
/// @throws c10::TypeError if the data is neither floating-point nor complex.
/// @code
/// const auto mean = packseq::mean_pool(output);   // data [6, 5] to [3, 5]
/// @endcode
PACKSEQ_EXPORT at::Tensor mean_pool(const PackedSequence& packed);

/// The largest value among each document's tokens, in the caller's order: from data [N, *] to [B, *].
///
/// An empty document has zeros. A NaN is the largest value. As in `torch::amax`, values that are equally large share
/// the gradient; it flows twice if need be.
/// @throws c10::ValueError or c10::TypeError if `packed` is malformed (see `lengths`).
/// @throws c10::TypeError if the data is complex, and so has no order, or of a dtype that LibTorch does not compare:
///   float8, or unsigned integers of more than a byte.
/// @code
/// const auto largest = packseq::max_pool(output);   // data [6, 5] to [3, 5]
/// @endcode
PACKSEQ_EXPORT at::Tensor max_pool(const PackedSequence& packed);

}  // namespace packseq
