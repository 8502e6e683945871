#pragma once

#include <torch/nn/cloneable.h>
#include <torch/nn/pimpl.h>

#include "packseq/export.hpp"
#include "packseq/sequence/pack.hpp"

namespace packseq::nn {

/// The state of a recurrent network before the first or after the last token of each document, in the caller's order;
/// D = 2 if bidirectional, else 1.
///
/// A network starts from zeros where a tensor is undefined. As with a tensor, a copy shares the numbers, and many
/// threads may read one state at once.
struct State {
  at::Tensor h = {};  ///< Hidden state, [layers * D, B, P], P the projection size of an LSTM that has one, else H.
  at::Tensor c = {};  ///< Cell state, [layers * D, B, H]; only an LSTM has one.
};

/// What a recurrent network makes of a packed batch; as with `State`, many threads may read one result at once.
struct Result {
  PackedSequence output;  ///< The last layer's output for every token, data [N, D * P].
  State state;            ///< The state after the last token of each document.
};

/// Passes on the output of a recurrent network and drops its final state: what stands behind it in a `Sequential`.
///
/// Its functions may be called from many threads at once.
/// @code
/// torch::nn::Sequential network(packseq::nn::LSTM(4, 5), packseq::nn::TakeOutput(), packseq::nn::GRU(5, 6));
/// const auto result = network->forward<packseq::nn::Result>(embedded);
/// @endcode
class PACKSEQ_EXPORT TakeOutputImpl : public torch::nn::Cloneable<TakeOutputImpl> {
 public:
  /// Nothing: there are no parameters.
  void reset() override {}

  /// `result.output`.
  PackedSequence forward(const Result& result);
};

/// A module holder for `TakeOutputImpl`: a shared pointer with constructors and `operator()`.
TORCH_MODULE(TakeOutput);

}  // namespace packseq::nn
