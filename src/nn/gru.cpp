#include "packseq/nn/gru.hpp"

#include "nn/packed_run.hpp"
#include "packseq/engine/freeze.hpp"
#include "packseq/nn/detail/cloned.hpp"

namespace packseq::nn {

Result GRUImpl::forward(const PackedSequence& input, const State& state, const Keep& keep) {
  return detail::run_packed("GRU::forward", engine::Cell::gru, {input, input.data()}, state, options_base,
                            flat_weights_, {engine, precision, keep}, is_training());
}

void GRUImpl::freeze() {
  detail::check_fused("GRU::freeze", flat_weights_.front(), flat_weights_, engine);
  packseq::engine::freeze(flat_weights_);
}

void GRUImpl::unfreeze() { packseq::engine::unfreeze(flat_weights_); }

bool GRUImpl::frozen() const { return packseq::engine::frozen(flat_weights_); }

std::shared_ptr<torch::nn::Module> GRUImpl::clone(const std::optional<at::Device>& device) const {
  return detail::cloned(*this, device);
}

}  // namespace packseq::nn
