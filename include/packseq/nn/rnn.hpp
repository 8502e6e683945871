#pragma once

#include <torch/nn/modules/rnn.h>

#include <memory>
#include <optional>

#include "packseq/export.hpp"
#include "packseq/sequence/pack.hpp"

namespace packseq::nn {

/// What an RNN makes of a packed batch; D = 2 if bidirectional, else 1.
struct RNNResult {
  PackedSequence output;  ///< The last layer's output for every token, data [N, D * H].
  at::Tensor state;       ///< The hidden state after the last token of each document, [layers * D, B, H].
};

/// `torch::nn::RNN` over packed sequences: the same options, parameters, initial numbers and `state_dict`.
class PACKSEQ_EXPORT RNNImpl : public torch::nn::RNNImpl {
 public:
  using torch::nn::RNNImpl::RNNImpl;

  /// Runs the network over every document of `input`, data [N, I], from `state` [layers * D, B, H], or from
  /// zeros.
  ///
  /// An empty document has no output, and its final state is its initial one.
  /// @throws c10::ValueError if `input` is malformed (see `packseq::lengths`) or its data is not [N, I].
  /// @throws c10::ValueError if `state` is not [layers * D, B, H].
  /// @throws c10::TypeError if data or state differ from the parameters in dtype or device.
  /// @code
  /// packseq::nn::RNN rnn(torch::nn::RNNOptions(4, 5));
  /// auto [output, state] = rnn->forward(packed);   // output.data() [6, 5], state [1, 3, 5]
  /// @endcode
  RNNResult forward(const PackedSequence& input, at::Tensor state = {});

  /// A deep copy, of this class (torch's own `clone` would return a `torch::nn::RNN`).
  std::shared_ptr<torch::nn::Module> clone(const std::optional<at::Device>& device = {}) const override;

 protected:
  FORWARD_HAS_DEFAULT_ARGS({1, torch::nn::AnyValue(at::Tensor())})
};

/// A module holder for `RNNImpl`: a shared pointer with constructors and `operator()`.
TORCH_MODULE(RNN);

}  // namespace packseq::nn
