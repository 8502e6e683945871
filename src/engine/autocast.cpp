#include "engine/autocast.hpp"

#include <ATen/autocast_mode.h>

#include <algorithm>
#include <utility>

#include "engine/autograd.hpp"

namespace packseq::engine {
namespace {

using at::Tensor;

bool has_float(at::TensorList tensors) {
  return std::any_of(tensors.begin(), tensors.end(),
                     [](const Tensor& tensor) { return tensor.scalar_type() == at::kFloat; });
}

bool is_recorded(const Network& network) {
  return records_gradients(network.data) || records_gradients(network.states) || records_gradients(network.parameters);
}

Tensor in_float(const Tensor& tensor, bool is_copied) {
  return tensor.to(at::kFloat, /*non_blocking=*/false, /*copy=*/is_copied);
}

/// LibTorch's casts make tensors that can be saved for backward of those that cannot; where all are to be saved, so do
/// these.
Tensor in_float_to_save(const Tensor& tensor, bool is_saved) {
  return in_float(tensor, is_saved && tensor.is_inference());
}

}  // namespace

bool is_autocast_on() { return at::autocast::is_autocast_enabled(at::kCPU); }

bool is_cast(const Network& network) {
  return is_autocast_on() && network.data.is_cpu() &&
         (has_float(network.data) || has_float(network.states) || has_float(network.parameters));
}

ResultDtypes result_dtypes(const Network& network) {
  if (!is_cast(network)) return {network.data.scalar_type(), network.data.scalar_type()};
  const auto of_state = [&](std::size_t i) { return network.states[i].scalar_type(); };
  if (network.cell == Cell::gru) return {of_state(0), of_state(0)};
  const bool has_projection = network.cell == Cell::lstm && network.states[0].size(2) != network.states[1].size(2);
  const c10::ScalarType dtype = at::autocast::get_autocast_dtype(at::kCPU);
  return {dtype, has_projection ? of_state(1) : dtype};
}

CastNetwork::CastNetwork(const Network& original) : dtypes_(result_dtypes(original)), network_(original) {
  const bool is_saved = is_recorded(original);
  // Programs write the next state where the last one was, before the backward pass: LibTorch's casts are copies.
  for (const Tensor& state : original.states) states_.push_back(in_float(state, is_saved));
  for (const Tensor& weight : original.parameters) parameters_.push_back(in_float_to_save(weight, is_saved));
  network_.data = in_float_to_save(original.data, is_saved);
  network_.states = states_;
  network_.parameters = parameters_;
  network_.precision = Precision::bfloat16;
}

NetworkResult CastNetwork::cast(NetworkResult result) const {
  const Tensor output = result.output;
  result.output = output.to(dtypes_.h);
  result.h_n = result.h_n.to(dtypes_.h);
  if (result.c_n.defined()) result.c_n = result.c_n.to(dtypes_.c);
  for (LayerStates& layer : result.layers) {
    layer.h = layer.h.is_same(output) ? result.output : layer.h.to(dtypes_.h);
    if (layer.c.defined()) layer.c = layer.c.to(dtypes_.c);
  }
  return result;
}

}  // namespace packseq::engine
