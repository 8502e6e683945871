#include "packseq/nn/rnn.hpp"

#include "nn/packed_run.hpp"
#include "packseq/nn/detail/cloned.hpp"

namespace packseq::nn {

Result RNNImpl::forward(const PackedSequence& input, const State& state) {
  return detail::run_packed("RNN::forward", detail::cell_of(options), {input, input.data()}, state, options_base,
                            flat_weights_, engine, is_training());
}

std::shared_ptr<torch::nn::Module> RNNImpl::clone(const std::optional<at::Device>& device) const {
  return detail::cloned(*this, device);
}

}  // namespace packseq::nn
