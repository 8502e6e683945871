#include "packseq/nn/rnn.hpp"

#include "nn/packed_run.hpp"
#include "packseq/engine/freeze.hpp"
#include "packseq/nn/detail/cloned.hpp"

namespace packseq::nn {

Result RNNImpl::forward(const PackedSequence& input, const State& state, const Keep& keep) {
  return detail::run_packed("RNN::forward", detail::cell_of(options), {input, input.data()}, state, options_base,
                            flat_weights_, {engine, precision, keep}, is_training());
}

void RNNImpl::freeze() {
  detail::check_fused("RNN::freeze", flat_weights_.front(), flat_weights_, engine);
  packseq::engine::freeze(flat_weights_);
}

void RNNImpl::unfreeze() { packseq::engine::unfreeze(flat_weights_); }

bool RNNImpl::frozen() const { return packseq::engine::frozen(flat_weights_); }

std::shared_ptr<torch::nn::Module> RNNImpl::clone(const std::optional<at::Device>& device) const {
  return detail::cloned(*this, device);
}

}  // namespace packseq::nn
