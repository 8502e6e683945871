#pragma once

#include <ATen/core/Tensor.h>

#include "packseq/export.hpp"
#include "packseq/sequence/pack.hpp"

namespace packseq::cost {

/// How many distinct beginnings of each length the documents of a batch have: of one token, of two, and so on, int64
/// [T]. `ids` has data int64 or int32 [N] on the CPU.
///
/// A one-directional network that runs documents from one state need compute no more steps than these, where each token
/// of each document takes one else: `ids.batch_sizes()`. `packseq::nn::Embedded` does so, in all layers unless there is
/// dropout between them, then in the first; a bidirectional one in the first layer, whose second direction takes
/// `shared_steps(reverse(ids))`. The sum over N is what is left of the FLOPs of a forward pass.
/// @throws c10::TypeError if the data of `ids` is neither int64 nor int32, or not on the CPU.
/// @throws c10::ValueError if the data of `ids` is not [N], or the batch is not well formed.
/// @code
/// const auto ids = packseq::pack_sequence({torch::tensor({1, 2, 3}), torch::tensor({1, 2}), torch::tensor({1, 4})});
/// packseq::cost::shared_steps(ids);   // 1 2 1, of 3 3 1 tokens
/// @endcode
PACKSEQ_EXPORT at::Tensor shared_steps(const PackedSequence& ids);

}  // namespace packseq::cost
