#pragma once

#include <torch/nn/modules/rnn.h>

#include <memory>
#include <optional>

#include "packseq/export.hpp"
#include "packseq/sequence/pack.hpp"

namespace packseq::nn {

/// The state of an LSTM between two steps, documents in the caller's order; D = 2 if bidirectional, else 1.
struct LSTMState {
  at::Tensor h;  ///< Hidden state, [layers * D, B, P], P the projection size if there is one, else H.
  at::Tensor c;  ///< Cell state, [layers * D, B, H].
};

/// What an LSTM makes of a packed batch.
struct LSTMResult {
  PackedSequence output;  ///< The last layer's output for every token, data [N, D * P].
  LSTMState state;        ///< The state after the last token of each document.
};

/// `torch::nn::LSTM` over packed sequences: the same options, parameters, initial numbers and `state_dict`.
class PACKSEQ_EXPORT LSTMImpl : public torch::nn::LSTMImpl {
 public:
  using torch::nn::LSTMImpl::LSTMImpl;

  /// Runs the network over every document of `input`, data [N, I], from `state`, or from zeros.
  ///
  /// An empty document has no output, and its final state is its initial one.
  /// @throws c10::ValueError if `input` is malformed (see `packseq::lengths`) or its data is not [N, I].
  /// @throws c10::ValueError if `state.h` or `state.c` has not the shape given in `LSTMState`.
  /// @throws c10::TypeError if data or state differ from the parameters in dtype or device.
  /// @code
  /// packseq::nn::LSTM lstm(torch::nn::LSTMOptions(4, 5));
  /// auto [output, state] = lstm->forward(packed);   // output.data() [6, 5], state.h and state.c [1, 3, 5]
  /// @endcode
  LSTMResult forward(const PackedSequence& input, std::optional<LSTMState> state = {});

  /// A deep copy, of this class (torch's own `clone` would return a `torch::nn::LSTM`).
  std::shared_ptr<torch::nn::Module> clone(const std::optional<at::Device>& device = {}) const override;

 protected:
  FORWARD_HAS_DEFAULT_ARGS({1, torch::nn::AnyValue(std::optional<LSTMState>())})
};

/// A module holder for `LSTMImpl`: a shared pointer with constructors and `operator()`.
TORCH_MODULE(LSTM);

}  // namespace packseq::nn
