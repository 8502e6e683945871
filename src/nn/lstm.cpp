#include "packseq/nn/lstm.hpp"

#include "nn/packed_run.hpp"
#include "packseq/engine/freeze.hpp"
#include "packseq/nn/detail/cloned.hpp"

namespace packseq::nn {

Result LSTMImpl::forward(const PackedSequence& input, const State& state, const Keep& keep) {
  return detail::run_packed("LSTM::forward", engine::Cell::lstm, {input, input.data()}, state, options_base,
                            flat_weights_, {engine, precision, keep}, is_training());
}

void LSTMImpl::freeze() {
  detail::check_fused("LSTM::freeze", flat_weights_.front(), flat_weights_, engine);
  packseq::engine::freeze(flat_weights_);
}

void LSTMImpl::unfreeze() { packseq::engine::unfreeze(flat_weights_); }

bool LSTMImpl::frozen() const { return packseq::engine::frozen(flat_weights_); }

std::shared_ptr<torch::nn::Module> LSTMImpl::clone(const std::optional<at::Device>& device) const {
  return detail::cloned(*this, device);
}

}  // namespace packseq::nn
