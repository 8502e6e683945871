#pragma once

#include "packseq/export.hpp"
#include "packseq/sequence/pack.hpp"

namespace packseq {

/// Every document back to front, in the same layout; `reverse(reverse(packed))` is `packed`. Gradients flow.
/// @throws c10::ValueError or c10::TypeError if `packed` is malformed (see `lengths`).
/// @throws c10::TypeError if `packed` is of float8 and needs a gradient.
/// @code
/// const auto backward = packseq::reverse(packed);   // from data 1 4 6 2 5 3 to 3 5 6 2 4 1
/// @endcode
PACKSEQ_EXPORT PackedSequence reverse(const PackedSequence& packed);

}  // namespace packseq
