#include "packseq/nn/lstm.hpp"

#include "nn/packed_run.hpp"
#include "packseq/nn/detail/cloned.hpp"

namespace packseq::nn {

Result LSTMImpl::forward(const PackedSequence& input, const State& state) {
  return detail::run_packed("LSTM::forward", engine::Cell::lstm, {input, input.data()}, state, options_base,
                            flat_weights_, engine, is_training());
}

std::shared_ptr<torch::nn::Module> LSTMImpl::clone(const std::optional<at::Device>& device) const {
  return detail::cloned(*this, device);
}

}  // namespace packseq::nn
