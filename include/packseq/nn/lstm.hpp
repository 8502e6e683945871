#pragma once

#include <torch/nn/modules/rnn.h>

#include <memory>
#include <optional>

#include "packseq/engine/precision.hpp"
#include "packseq/engine/supports.hpp"
#include "packseq/export.hpp"
#include "packseq/nn/result.hpp"
#include "packseq/sequence/pack.hpp"

namespace packseq::nn {

/// `torch::nn::LSTM` over packed sequences: the same options, parameters, initial numbers and `state_dict`. On a CPU
/// the fused engine runs it.
///
/// As with LibTorch's modules, many threads may run one network at once as long as none changes it.
class PACKSEQ_EXPORT LSTMImpl : public torch::nn::LSTMImpl {
 public:
  using torch::nn::LSTMImpl::LSTMImpl;

  /// Runs the network over every document of `input`, data [N, I], from `state`, or from zeros where it is undefined.
  ///
  /// An empty document has no output, and its final state is its initial one. The option `batch_first` says nothing
  /// about packed batches. `keep` asks for states of every token besides.
  ///
  /// Under autocast results have the dtypes that LibTorch gives a padded batch: see `packseq::engine::install`.
  /// @throws c10::ValueError if `input` is malformed (see `packseq::lengths`) or its data is not [N, I].
  /// @throws c10::ValueError if `state.h` or `state.c` has not the sizes that `State` tells.
  /// @throws c10::TypeError if data or state differ from the parameters in dtype or device, or these among each other;
  ///   under autocast to bfloat16 Float and BFloat16 may be mixed.
  /// @throws c10::ValueError if parameters were given sizes that do not belong together.
  /// @throws c10::ValueError if `engine` is `Choice::fused` and the fused engine does not support this.
  /// @code
  /// packseq::nn::LSTM lstm(torch::nn::LSTMOptions(4, 5));
  /// const auto [output, state] = lstm->forward(embedded);   // output.data() [6, 5], state.h and state.c [1, 3, 5]
  /// lstm->forward(embedded, state);                         // goes on from there
  /// lstm->engine = packseq::engine::Choice::libtorch;       // for what is run from now on
  /// @endcode
  Result forward(const PackedSequence& input, const State& state = {}, const Keep& keep = {});

  /// Who runs the network. The fused engine's results differ from LibTorch's by rounding alone.
  packseq::engine::Choice engine = packseq::engine::Choice::automatic;

  /// What the engine rounds the factors of products to, where the network is of Float.
  packseq::engine::Precision precision = packseq::engine::Precision::automatic;

  /// Freezes the weights for inference, until they are trained or changed: see `packseq::engine::freeze`.
  /// @throws c10::ValueError if the fused engine does not run the network (see `packseq::engine::supports`), or
  ///   `engine` is `Choice::libtorch`.
  /// @code
  /// packseq::nn::LSTM lstm(4, 5);
  /// lstm->freeze();
  /// const torch::NoGradGuard no_grad;
  /// lstm->forward(embedded);   // and so on for each batch
  /// lstm->frozen();            // true
  /// lstm->unfreeze();
  /// @endcode
  void freeze();

  /// Takes back what `freeze` did, if it did.
  void unfreeze();

  /// Whether the weights are frozen, and have not changed since.
  bool frozen() const;

  /// A deep copy, of this class and not frozen (torch's own `clone` would return a `torch::nn::LSTM`).
  std::shared_ptr<torch::nn::Module> clone(const std::optional<at::Device>& device = {}) const override;

 protected:
  FORWARD_HAS_DEFAULT_ARGS({1, torch::nn::AnyValue(State())}, {2, torch::nn::AnyValue(Keep())})
};

/// A module holder for `LSTMImpl`: a shared pointer with constructors and `operator()`.
TORCH_MODULE(LSTM);

}  // namespace packseq::nn
