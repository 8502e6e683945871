#pragma once

#include <ATen/core/Tensor.h>

#include "packseq/export.hpp"
#include "packseq/sequence/pack.hpp"

namespace packseq {

/// What `packed.data()` [N, *] holds for the first token of each document, in the caller's order: [B, *].
///
/// An empty document has zeros, as a bag without entries has in `torch::nn::EmbeddingBag`. Gradients flow.
/// @throws c10::ValueError or c10::TypeError if `packed` is malformed (see `lengths`).
/// @throws c10::TypeError if `packed` is of float8 and needs a gradient.
/// @code
/// const auto first = packseq::first_step(packed);   // of data 1 4 6 2 5 3: 1 4 6
/// @endcode
PACKSEQ_EXPORT at::Tensor first_step(const PackedSequence& packed);

/// What the last step of a document is.
struct LastStepOptions {
  /// The data is a bidirectional network's output, [N, *, 2 P]: its first half has come to its end at a document's last
  /// token, its second half, which runs backward, at the first one.
  bool bidirectional = false;
};

/// What `packed.data()` [N, *] holds for the last token of each document, in the caller's order: [B, *].
///
/// For a recurrent network's output it is the final hidden state of the last layer, both directions side by side if
/// it is bidirectional. An empty document has zeros, as in `first_step`. Gradients flow.
/// @throws c10::ValueError or c10::TypeError if `packed` is malformed (see `lengths`).
/// @throws c10::TypeError if `packed` is of float8 and needs a gradient.
/// @throws c10::ValueError if `options.bidirectional` and the data has not two dimensions or more, the last of even
///   size.
/// @code
/// packseq::last_step(output);                                      // state.h[-1]
///
/// packseq::nn::LSTM both_ways(torch::nn::LSTMOptions(4, 5).bidirectional(true));
/// const auto [output, state] = both_ways->forward(embedded);
/// packseq::last_step(output, {.bidirectional = true});             // torch::cat({state.h[-2], state.h[-1]}, 1)
/// @endcode
PACKSEQ_EXPORT at::Tensor last_step(const PackedSequence& packed, const LastStepOptions& options = {});

}  // namespace packseq
