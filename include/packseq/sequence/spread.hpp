#pragma once

#include <ATen/core/Tensor.h>

#include "packseq/export.hpp"
#include "packseq/sequence/jagged.hpp"
#include "packseq/sequence/pack.hpp"

namespace packseq {

/// Each document's row to each of its tokens: from `rows` [B, *], in the caller's order, to data [N, *] in the layout
/// of `packed`.
///
/// The way back from a pool or a last step, of any dtype: what is known of a document, for its tokens to be computed
/// with. A row of an empty document goes nowhere. Gradients flow to `rows`, also twice; `packed` is read for its layout
/// alone.
/// @throws c10::ValueError or c10::TypeError if `packed` is malformed (see `lengths`).
/// @throws c10::ValueError if `rows` is undefined or a scalar, or has not B rows.
/// @throws c10::TypeError if `rows` is sparse or nested, not on the device of `packed`, or of float8 with a gradient.
/// @code
/// const auto means = packseq::spread(embedded, packseq::mean_pool(embedded));   // [3, 4] to data [6, 4]
/// const auto centred = packseq::map(embedded, means, [](const auto& a, const auto& b) { return a - b; });
/// @endcode
PACKSEQ_EXPORT PackedSequence spread(const PackedSequence& packed, const at::Tensor& rows);

/// Packs sequences, in the caller's order, in the layout of `packed`, whose documents have their lengths: what belongs
/// to the same token stands in the same row of both, whoever made `packed`.
///
/// Two batches of equal lengths need not have one layout: LibTorch sorts documents of equal length differently.
/// @throws c10::ValueError or c10::TypeError if `packed` is malformed (see `lengths`).
/// @throws c10::ValueError if `sequences` are not as many as the documents of `packed`, or one has another length.
/// @throws c10::TypeError if `sequences` are not on the device of `packed`, or are of float8 and need a gradient.
/// @code
/// const packseq::Jagged tags = {torch::tensor({0, 1, 2}), torch::tensor({0, 2}), torch::tensor({0})};
/// const auto targets = packseq::pack_like(output, tags);   // data 0 0 0 1 2 2, a tag for each row of output.data()
/// @endcode
PACKSEQ_EXPORT PackedSequence pack_like(const PackedSequence& packed, const Jagged& sequences);

}  // namespace packseq
