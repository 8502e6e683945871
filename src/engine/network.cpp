#include "engine/network.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/gru_native.h>
#include <ATen/ops/lstm_native.h>
#include <ATen/ops/rnn_relu_native.h>
#include <ATen/ops/rnn_tanh_native.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <c10/util/Exception.h>

#include <utility>
#include <vector>

#include "engine/autocast.hpp"
#include "engine/autograd.hpp"
#include "engine/layer.hpp"
#include "engine/layer_passes.hpp"
#include "engine/layers_over_tries.hpp"
#include "packseq/engine/freeze.hpp"

namespace packseq::engine {
namespace {

std::int64_t directions(const Network& network) { return network.bidirectional ? 2 : 1; }

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
  layer.precision = network.precision;
  layer.keeps_cells = network.keeps_cells && (network.keeps_lower_layers || index + 1 == network.num_layers);
  return layer;
}

at::Tensor joined(const std::vector<at::Tensor>& of_layers) {
  return of_layers.size() == 1 || !of_layers.front().defined() ? of_layers.front() : at::cat(of_layers);
}

/// Runs one layer after the other.
template <class RunLayer>
NetworkResult run_layers(const Network& network, const RunLayer& run) {
  at::Tensor data = network.batch_first ? network.data.transpose(0, 1) : network.data;
  std::vector<at::Tensor> h_n;
  std::vector<at::Tensor> c_n;
  std::vector<LayerStates> layers;
  for (std::int64_t layer = 0; layer < network.num_layers; ++layer) {
    // As LibTorch does, with the same random numbers.
    if (layer > 0 && network.train && network.dropout != 0) data = at::dropout(data, network.dropout, true);
    Layer next = layer_of(network, layer, data);
    next.batch_first = network.batch_first && layer + 1 == network.num_layers;
    LayerResult result = run(std::move(next));
    data = std::move(result.output);
    h_n.push_back(std::move(result.h_n));
    c_n.push_back(std::move(result.c_n));
    if (network.keeps_lower_layers || result.cells.defined()) layers.push_back({data, std::move(result.cells)});
  }
  return {data, joined(h_n), joined(c_n), std::move(layers)};
}

/// Runs all layers in the engine, over the nodes of tries where there are any.
NetworkResult run_in_engine(const Network& network) {
  if (network.tries.empty()) return run_layers(network, run_layer);
  LayersOverTries layers(network);
  if (!network.parts_after_first_layer()) {
    Network of_nodes = network;
    of_nodes.index = layers.index_of_nodes(network.index, 0);
    return layers.of_tokens(run_layers(of_nodes, [&](const Layer& layer) { return layers.run_over_nodes(layer); }));
  }
  return run_layers(network, [&](const Layer& layer) {
    return layer.index.defined() ? layers.run_over_tokens(layer) : run_layer(layer);
  });
}

}  // namespace

void unfreeze_trained(at::TensorList parameters) {
  if (records_gradients(parameters)) unfreeze(parameters.vec());
}

at::Tensor project_input(const Network& network) {
  const auto project = [](const Network& n) { return project_input(layer_of(n, 0, n.data)); };
  return is_cast(network) ? project(CastNetwork(network).network()) : project(network);
}

NetworkResult run_network(const Network& network) {
  unfreeze_trained(network.parameters);
  if (!is_cast(network)) return run_in_engine(network);
  const CastNetwork cast(network);
  // What the engine leaves to LibTorch inside a layer must not be cast again.
  const c10::impl::ExcludeDispatchKeyGuard without_autocast(c10::autocast_dispatch_keyset);
  return cast.cast(run_in_engine(cast.network()));
}

NetworkResult run_network_in_libtorch(const Network& network) {
  TORCH_INTERNAL_ASSERT(!network.known_sums.defined());
  unfreeze_trained(network.parameters);
  if (network.keeps_cells || network.keeps_lower_layers) return run_layers(network, run_layer_in_libtorch);
  const at::Tensor data = network.index.defined() ? network.data.index_select(0, network.index) : network.data;
  const auto run = [&](auto function, const auto& states) {
    const Network& n = network;
    return !n.is_padded() ? function(data, n.batch_sizes.contiguous(), states, n.parameters, n.has_biases, n.num_layers,
                                     n.dropout, n.train, n.bidirectional)
                          : function(data, states, n.parameters, n.has_biases, n.num_layers, n.dropout, n.train,
                                     n.bidirectional, n.batch_first);
  };
  const auto without_cell_state = [&](auto function) -> NetworkResult {
    auto [output, h_n] = run(function, network.states[0]);
    return {std::move(output), std::move(h_n), {}, {}};
  };
  switch (network.cell) {
    case Cell::lstm: {
      auto [output, h_n, c_n] =
          run([](const auto&... arguments) { return at::native::lstm(arguments...); }, network.states);
      return {std::move(output), std::move(h_n), std::move(c_n), {}};
    }
    case Cell::gru:
      return without_cell_state([](const auto&... arguments) { return at::native::gru(arguments...); });
    case Cell::rnn_tanh:
      return without_cell_state([](const auto&... arguments) { return at::native::rnn_tanh(arguments...); });
    case Cell::rnn_relu:
      return without_cell_state([](const auto&... arguments) { return at::native::rnn_relu(arguments...); });
  }
  TORCH_INTERNAL_ASSERT(false);
}

}  // namespace packseq::engine
