#include "engine/layers_over_tries.hpp"

#include <ATen/ops/cat.h>
#include <c10/util/Exception.h>

#include <cstddef>
#include <span>
#include <utility>

#include "engine/autograd.hpp"
#include "engine/select_rows.hpp"
#include "engine/tensor_numbers.hpp"

namespace packseq::engine {

using at::Tensor;

LayersOverTries::LayersOverTries(const Network& network)
    : tries_(network.tries),
      keeps_(records_gradients(network.data) || records_gradients(network.parameters) || network.keeps_lower_layers ||
             network.keeps_cells) {
  TORCH_INTERNAL_ASSERT(!records_gradients(network.states));
  const Tensor contiguous = network.batch_sizes.contiguous();
  const std::span sizes(contiguous.const_data_ptr<std::int64_t>(), size(contiguous.size(0)));
  const Tensor last = packseq::detail::last_tokens(sizes);
  if (tries_.size() > 1) reversed_ = packseq::detail::reversed_tokens(sizes);
  for (std::size_t d = 0; d < tries_.size(); ++d) {
    nodes_.push_back(d == 0 ? tries_[d].nodes : tries_[d].nodes.index_select(0, reversed_));
    last_.push_back(tries_[d].nodes.index_select(0, last));
  }
}

Tensor LayersOverTries::index_of_nodes(const Tensor& index, std::int64_t direction) const {
  const Tensor in_order = direction == 0 ? index : index.index_select(0, reversed_);
  return in_order.index_select(0, tries_[size(direction)].tokens);
}

LayerResult LayersOverTries::run_direction(Layer layer, std::int64_t direction) {
  const Trie& trie = tries_[size(direction)];
  const std::size_t per_direction = layer.parameters.size() / tries_.size();
  layer.parameters = at::TensorList(layer.parameters).slice(size(direction) * per_direction, per_direction).vec();
  if (layer.known_sums.defined()) layer.known_sums = layer.known_sums.narrow(0, direction, 1);
  // Tokens of the first step are in the order of their documents.
  const Tensor documents = trie.tokens.narrow(0, 0, *trie.batch_sizes.const_data_ptr<std::int64_t>());
  const auto initial = [&](const Tensor& state) { return state.narrow(0, direction, 1).index_select(1, documents); };
  layer.h_0 = initial(layer.h_0);
  if (layer.c_0.defined()) layer.c_0 = initial(layer.c_0);
  layer.trie = trie;
  if (!keeps_) layer.arena = &next_arena();
  layer.bidirectional = false;
  const bool keeps_cells = std::exchange(layer.keeps_cells, layer.cell == Cell::lstm);
  LayerResult result = run_layer(layer);
  const auto at_end = [&](const Tensor& of_nodes) {
    return select_rows(of_nodes.unsqueeze(0), 1, last_[size(direction)]);
  };
  result.h_n = at_end(result.output);
  if (result.cells.defined()) result.c_n = at_end(result.cells);
  if (!keeps_cells) result.cells = Tensor();
  return result;
}

LayerResult LayersOverTries::run_over_tokens(const Layer& layer) {
  std::vector<LayerResult> of_directions;
  for (std::size_t d = 0; d < tries_.size(); ++d) {
    const auto direction = static_cast<std::int64_t>(d);
    Layer one = layer;
    one.index = index_of_nodes(layer.index, direction);
    LayerResult result = run_direction(std::move(one), direction);
    result.output = select_rows(result.output, 0, nodes_[d]);
    if (result.cells.defined()) result.cells = select_rows(result.cells, 0, nodes_[d]);
    of_directions.push_back(std::move(result));
  }
  if (of_directions.size() == 1) return of_directions.front();
  const auto side_by_side = [&](Tensor LayerResult::*part, std::int64_t dim) {
    const Tensor& first = of_directions[0].*part;
    return first.defined() ? at::cat({first, of_directions[1].*part}, dim) : Tensor();
  };
  return {side_by_side(&LayerResult::output, 1), side_by_side(&LayerResult::h_n, 0), side_by_side(&LayerResult::c_n, 0),
          side_by_side(&LayerResult::cells, 1)};
}

NetworkResult LayersOverTries::of_tokens(NetworkResult of_nodes) const {
  const Tensor last = of_nodes.output;
  of_nodes.output = select_rows(last, 0, nodes_[0]);
  for (LayerStates& states : of_nodes.layers) {
    states.h = states.h.is_same(last) ? of_nodes.output : select_rows(states.h, 0, nodes_[0]);
    if (states.c.defined()) states.c = select_rows(states.c, 0, nodes_[0]);
  }
  return of_nodes;
}

}  // namespace packseq::engine
