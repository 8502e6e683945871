#include "engine/network.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/gru_native.h>
#include <ATen/ops/lstm_native.h>
#include <ATen/ops/rnn_relu_native.h>
#include <ATen/ops/rnn_tanh_native.h>
#include <c10/util/Exception.h>

#include <vector>

#include "engine/layer.hpp"
#include "engine/layer_passes.hpp"
#include "packseq/engine/freeze.hpp"

namespace packseq::engine {
namespace {

std::int64_t directions(const Network& network) { return network.bidirectional ? 2 : 1; }

std::int64_t weight_blocks(Cell cell) { return cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1; }

/// The sizes of all parameters, in their order.
std::vector<std::vector<std::int64_t>> expected_sizes(const Network& network, bool has_projection) {
  const std::int64_t output = network.states[0].size(2);
  const std::int64_t hidden = network.states.back().size(2);
  const std::int64_t rows = weight_blocks(network.cell) * hidden;
  std::vector<std::vector<std::int64_t>> sizes;
  for (std::int64_t layer = 0; layer < network.num_layers; ++layer) {
    const std::int64_t input = layer == 0 ? network.data.size(1) : directions(network) * output;
    for (std::int64_t direction = 0; direction < directions(network); ++direction) {
      sizes.push_back({rows, input});
      sizes.push_back({rows, output});
      if (network.has_biases) sizes.insert(sizes.end(), {{rows}, {rows}});
      if (has_projection) sizes.push_back({output, hidden});
    }
  }
  return sizes;
}

bool has_valid_batch_sizes(const Network& network) {
  const at::Tensor& sizes = network.batch_sizes;
  if (!sizes.defined() || !sizes.is_cpu() || sizes.scalar_type() != at::kLong || sizes.dim() != 1 ||
      sizes.numel() == 0) {
    return false;
  }
  const auto entries = sizes.accessor<std::int64_t, 1>();
  std::int64_t rest = (network.index.defined() ? network.index : network.data).size(0);
  for (std::int64_t step = 0; step < entries.size(0); ++step) {
    if (entries[step] <= 0 || entries[step] > rest || (step > 0 && entries[step] > entries[step - 1])) return false;
    rest -= entries[step];
  }
  return rest == 0;
}

bool has_valid_states(const Network& network) {
  if (network.states.size() != (network.cell == Cell::lstm ? 2U : 1U)) return false;
  for (const at::Tensor& state : network.states) {
    if (state.dim() != 3 || state.size(0) != network.num_layers * directions(network) ||
        state.size(1) != *network.batch_sizes.const_data_ptr<std::int64_t>() || state.size(2) == 0) {
      return false;
    }
  }
  return true;
}

Layer layer_of(const Network& network, std::int64_t index, const at::Tensor& data) {
  const std::int64_t first = index * directions(network);
  const auto per_layer = network.parameters.size() / static_cast<std::size_t>(network.num_layers);
  Layer layer;
  layer.cell = network.cell;
  layer.batch_sizes = network.batch_sizes;
  layer.data = data;
  if (index == 0) {
    layer.index = network.index;
    layer.known_sums = network.known_sums;
  }
  const auto of_layer = [&](const at::Tensor& state) {
    return network.num_layers == 1 ? state : state.narrow(0, first, directions(network));
  };
  layer.h_0 = of_layer(network.states[0]);
  if (network.cell == Cell::lstm) layer.c_0 = of_layer(network.states[1]);
  layer.parameters = network.parameters.slice(static_cast<std::size_t>(index) * per_layer, per_layer).vec();
  layer.has_biases = network.has_biases;
  layer.bidirectional = network.bidirectional;
  return layer;
}

at::Tensor joined(const std::vector<at::Tensor>& of_layers) {
  return of_layers.size() == 1 || !of_layers.front().defined() ? of_layers.front() : at::cat(of_layers);
}

}  // namespace

bool is_well_formed(const Network& network) {
  if (network.data.dim() != 2 || network.num_layers < 1 || !has_valid_batch_sizes(network) ||
      !has_valid_states(network)) {
    return false;
  }
  const bool has_projection = network.cell == Cell::lstm && network.states[0].size(2) != network.states[1].size(2);
  const auto sizes = expected_sizes(network, has_projection);
  if (network.parameters.size() != sizes.size()) return false;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (network.parameters[i].sizes() != at::IntArrayRef(sizes[i])) return false;
  }
  return true;
}

void unfreeze_trained(at::TensorList parameters) {
  if (records_gradients(parameters)) unfreeze(parameters.vec());
}

at::Tensor project_input(const Network& network) { return project_input(layer_of(network, 0, network.data)); }

NetworkResult run_network(const Network& network) {
  unfreeze_trained(network.parameters);
  at::Tensor data = network.data;
  std::vector<at::Tensor> h_n;
  std::vector<at::Tensor> c_n;
  for (std::int64_t layer = 0; layer < network.num_layers; ++layer) {
    // As LibTorch does, with the same random numbers.
    if (layer > 0 && network.train && network.dropout != 0) data = at::dropout(data, network.dropout, true);
    LayerResult result = run_layer(layer_of(network, layer, data));
    data = std::move(result.output);
    h_n.push_back(std::move(result.h_n));
    c_n.push_back(std::move(result.c_n));
  }
  return {data, joined(h_n), joined(c_n)};
}

NetworkResult run_network_in_libtorch(const Network& network) {
  TORCH_INTERNAL_ASSERT(!network.known_sums.defined());
  unfreeze_trained(network.parameters);
  const at::Tensor data = network.index.defined() ? network.data.index_select(0, network.index) : network.data;
  const auto run = [&](auto function) -> NetworkResult {
    const auto [output, h_n] =
        function(data, network.batch_sizes, network.states[0], network.parameters, network.has_biases,
                 network.num_layers, network.dropout, network.train, network.bidirectional);
    return {output, h_n, {}};
  };
  switch (network.cell) {
    case Cell::lstm:
      return at::native::lstm(data, network.batch_sizes, network.states, network.parameters, network.has_biases,
                              network.num_layers, network.dropout, network.train, network.bidirectional);
    case Cell::gru:
      return run([](const auto&... arguments) { return at::native::gru(arguments...); });
    case Cell::rnn_tanh:
      return run([](const auto&... arguments) { return at::native::rnn_tanh(arguments...); });
    case Cell::rnn_relu:
      return run([](const auto&... arguments) { return at::native::rnn_relu(arguments...); });
  }
  TORCH_INTERNAL_ASSERT(false);
}

}  // namespace packseq::engine
