#include "packseq/nn/gru.hpp"

#include <utility>

#include "nn/packed_run.hpp"

namespace packseq::nn {

GRUResult GRUImpl::forward(const PackedSequence& input, at::Tensor state) {
  auto [output, final] = detail::run_with_hidden_state<torch::nn::GRUImpl>(*this, "GRU::forward", input,
                                                                           state, flat_weights_.front());
  return {std::move(output), std::move(final)};
}

std::shared_ptr<torch::nn::Module> GRUImpl::clone(const std::optional<at::Device>& device) const {
  return detail::cloned(*this, device);
}

}  // namespace packseq::nn
