#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "engine/layer.hpp"
#include "engine/layer_shape.hpp"
#include "engine/network.hpp"

namespace packseq::engine {
namespace {

using at::Tensor;
using Tensors = std::vector<Tensor>;

/// The state of the sequences that a step has; each [1, B', *].
struct StepState {
  Tensor h;
  Tensor c;
};

/// The same of so many sequences: of fewer, or of more, which then begin in the `initial` state.
Tensor resized(const Tensor& state, const Tensor& initial, std::int64_t count) {
  const std::int64_t before = state.size(1);
  return count <= before ? state.narrow(1, 0, count)
                         : at::cat({state, initial.narrow(1, before, count - before).to(state.scalar_type())}, 1);
}

/// Runs one direction of an LSTM over one step, `input` [B', I]. By the whole operator: LibTorch's `lstm_cell` knows no
/// projection.
StepState run_step(const Layer& layer, at::TensorList parameters, const Tensor& input, const StepState& before) {
  const Tensors states = {before.h, before.c};
  const Tensor data = input.unsqueeze(0);
  auto result = run_network_in_libtorch({layer.cell, data, /*batch_sizes=*/{}, states, parameters, layer.has_biases,
                                         /*num_layers=*/1, /*dropout=*/0, /*train=*/false, /*bidirectional=*/false});
  return {std::move(result.h_n), std::move(result.c_n)};
}

/// One direction, with all that it is in on the way.
LayerResult run_direction(const Layer& layer, std::int64_t direction) {
  const auto batch_sizes = batch_sizes_of(layer);
  const auto inputs = layer.data.split_with_sizes(batch_sizes);
  const std::size_t per_direction = layer.parameters.size() / (layer.bidirectional ? 2 : 1);
  const auto parameters = at::TensorList(layer.parameters).slice(size(direction) * per_direction, per_direction);
  const StepState initial = {layer.h_0.narrow(0, direction, 1), layer.c_0.narrow(0, direction, 1)};
  StepState state = initial;
  Tensors h(inputs.size());
  Tensors c(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::size_t step = direction == 0 ? i : inputs.size() - 1 - i;
    const std::int64_t live = batch_sizes[step];
    state = {resized(state.h, initial.h, live), resized(state.c, initial.c, live)};
    state = run_step(layer, parameters, inputs[step], state);
    h[step] = state.h.squeeze(0);
    c[step] = state.c.squeeze(0);
  }
  LayerResult result = {at::cat(h), {}, {}, at::cat(c)};
  const auto at_end = [&](const Tensor& of_tokens) {
    return direction == 0 ? of_tokens.index_select(0, packseq::detail::last_tokens(batch_sizes).to(of_tokens.device()))
                          : of_tokens.narrow(0, 0, batch_sizes.front());
  };
  result.h_n = at_end(result.output);
  result.c_n = at_end(result.cells);
  return result;
}

/// Of an LSTM over a packed batch.
LayerResult run_by_steps(Layer layer) {
  if (layer.index.defined()) layer.data = layer.data.index_select(0, layer.index);
  std::vector<LayerResult> of_directions = {run_direction(layer, 0)};
  if (layer.bidirectional) of_directions.push_back(run_direction(layer, 1));
  const auto all = [&](Tensor LayerResult::*result) {
    Tensors tensors;
    for (const LayerResult& of_one : of_directions) tensors.push_back(of_one.*result);
    return tensors;
  };
  return {at::cat(all(&LayerResult::output), 1), at::stack(all(&LayerResult::h_n)), at::stack(all(&LayerResult::c_n)),
          at::cat(all(&LayerResult::cells), 1)};
}

/// Documents that begin alike each on its own.
LayerResult run_apart(Layer layer) {
  const Trie trie = std::exchange(layer.trie, {});
  Tensor& rows = layer.index.defined() ? layer.index : layer.data;
  rows = rows.index_select(0, trie.nodes);
  // In the first step, documents stand as they do in the batch.
  const Tensor first_nodes = trie.nodes.narrow(0, 0, batch_sizes_of(layer).front());
  layer.h_0 = layer.h_0.index_select(1, first_nodes);
  if (layer.c_0.defined()) layer.c_0 = layer.c_0.index_select(1, first_nodes);
  const LayerResult result = run_layer_in_libtorch(layer);
  return {result.output.index_select(0, trie.tokens),
          {},
          {},
          result.cells.defined() ? result.cells.index_select(0, trie.tokens) : Tensor()};
}

}  // namespace

LayerResult run_layer_in_libtorch(const Layer& layer) {
  if (layer.has_trie()) return run_apart(layer);
  if (layer.keeps_cells) return run_by_steps(layer);
  const Tensors states = layer.c_0.defined() ? Tensors{layer.h_0, layer.c_0} : Tensors{layer.h_0};
  auto result = run_network_in_libtorch({layer.cell, layer.data, layer.batch_sizes, states, layer.parameters,
                                         layer.has_biases, /*num_layers=*/1, /*dropout=*/0, /*train=*/false,
                                         layer.bidirectional, /*batch_first=*/false, layer.index});
  return {layer.batch_first ? result.output.transpose(0, 1) : result.output,
          std::move(result.h_n),
          std::move(result.c_n),
          {}};
}

}  // namespace packseq::engine
