#include "packseq/nn/gru.hpp"

#include "nn/packed_run.hpp"
#include "packseq/nn/detail/cloned.hpp"

namespace packseq::nn {

Result GRUImpl::forward(const PackedSequence& input, const State& state) {
  return detail::run_without_cell_state(*this, "GRU::forward", engine::Cell::gru, input, state, flat_weights_);
}

std::shared_ptr<torch::nn::Module> GRUImpl::clone(const std::optional<at::Device>& device) const {
  return detail::cloned(*this, device);
}

}  // namespace packseq::nn
