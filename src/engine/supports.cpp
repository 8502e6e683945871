#include "packseq/engine/supports.hpp"

#include <ATen/TensorSubclassLikeUtils.h>
#include <ATen/autocast_mode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/nn/modules/rnn.h>

#include "engine/autocast.hpp"
#include "engine/dtypes.hpp"
#include "engine/network.hpp"

namespace packseq::engine {
namespace {

/// Whether autocast brings them to one dtype, of those that the engine runs.
bool are_cast_alike(c10::ScalarType one, c10::ScalarType other) {
  return is_autocast_on() && one != at::kDouble && other != at::kDouble;
}

/// What of this tensor keeps the engine from running a network with it; empty if nothing does.
std::string obstacle(const at::Tensor& tensor, c10::ScalarType dtype) {
  if (!tensor.defined()) return " is undefined";
  if (!tensor.is_cpu() || tensor.layout() != at::kStrided) {
    return " is on " + tensor.device().str() + (tensor.layout() == at::kStrided ? "" : " and not strided") +
           ", and the engine runs dense tensors on the CPU";
  }
  if (at::isTensorSubclassLike(tensor)) return " is a tensor subclass";
  if (!is_dtype_of_engine(tensor.scalar_type())) {
    return std::string(" is ") + c10::toString(tensor.scalar_type()) + ", and the engine runs " + dtypes_of_engine;
  }
  if (tensor.scalar_type() != dtype && !are_cast_alike(tensor.scalar_type(), dtype)) {
    return std::string(" is ") + c10::toString(tensor.scalar_type()) + ", but data is " + c10::toString(dtype);
  }
  if (tensor.is_neg()) return " is a view with its negative bit set";
  if (tensor._is_zerotensor()) return " is a tensor of zeros without memory";
  if (tensor._fw_grad(/*level=*/0).defined()) return " has a forward-mode gradient";
  return {};
}

std::string obstacle_of_modes() {
  using c10::impl::tls_is_dispatch_key_included;
  if (is_autocast_on() && at::autocast::get_autocast_dtype(at::kCPU) != at::kBFloat16) {
    return std::string("autocast to ") + c10::toString(at::autocast::get_autocast_dtype(at::kCPU)) + " is on";
  }
  if (tls_is_dispatch_key_included(c10::DispatchKey::FuncTorchDynamicLayerFrontMode) ||
      tls_is_dispatch_key_included(c10::DispatchKey::FuncTorchDynamicLayerBackMode)) {
    return "a functorch transform is active";
  }
  return {};
}

}  // namespace

Support supports_tensors(const at::Tensor& data, at::TensorList states, at::TensorList parameters) {
  std::string reason = obstacle_of_modes();
  const auto dtype = data.defined() ? data.scalar_type() : at::kFloat;
  const auto check = [&](const at::Tensor& tensor, const auto& name) {
    if (!reason.empty()) return;
    reason = obstacle(tensor, dtype);
    if (!reason.empty()) reason = name() + reason;  // only now: every network that runs comes by
  };
  check(data, [] { return std::string("data"); });
  for (std::size_t i = 0; i < states.size(); ++i) {
    check(states[i], [i] { return std::string(i == 0 ? "the hidden state" : "the cell state"); });
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    check(parameters[i], [i] { return "parameter " + std::to_string(i); });
  }
  return {reason.empty(), std::move(reason)};
}

Support supports(const torch::nn::Module& network, const PackedSequence& input) {
  using torch::nn::GRUImpl, torch::nn::LSTMImpl, torch::nn::RNNImpl;
  if (dynamic_cast<const LSTMImpl*>(&network) == nullptr && dynamic_cast<const GRUImpl*>(&network) == nullptr &&
      dynamic_cast<const RNNImpl*>(&network) == nullptr) {
    return {false, "network is a " + network.name() + ", and the engine runs LSTM, GRU and RNN"};
  }
  return supports_tensors(input.data(), {}, network.parameters());
}

}  // namespace packseq::engine
