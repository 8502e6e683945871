#include "packseq/nn/rnn.hpp"

#include <variant>

#include "nn/packed_run.hpp"
#include "packseq/nn/detail/cloned.hpp"

namespace packseq::nn {

Result RNNImpl::forward(const PackedSequence& input, const State& state) {
  const bool is_relu = std::holds_alternative<torch::enumtype::kReLU>(options.nonlinearity());
  return detail::run_packed("RNN::forward", is_relu ? engine::Cell::rnn_relu : engine::Cell::rnn_tanh, input, state,
                            options_base, flat_weights_, engine, is_training());
}

std::shared_ptr<torch::nn::Module> RNNImpl::clone(const std::optional<at::Device>& device) const {
  return detail::cloned(*this, device);
}

}  // namespace packseq::nn
