#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "engine/layer.hpp"

namespace packseq::engine {

/// What a forward pass leaves for a backward pass; undefined where a kind of cell needs none.
struct Kept {
  at::Tensor gates;  ///< [D, N, *], of the dtype computed in, for a gate near 1 has a gradient.
  at::Tensor cells;  ///< [N, D * H], likewise; handed out where the layer `keeps_cells`.
};

/// A layer of contiguous tensors, which the passes want; only the tokens of a padded batch may lie apart.
Layer contiguous(Layer layer);

/// Of all rows of the layer's data: see the function of this name for a network.
at::Tensor project_input(const Layer& layer);

/// Memory for what a backward pass needs.
Kept make_kept(const Layer& layer);

/// Runs a layer without recording gradients, and fills `kept` where it is defined.
LayerResult run_forward(const Layer& layer, Kept kept);

/// The gradients of the layer's tensors, data, h_0, c_0 (of an LSTM) and parameters, as far as they are `needed`.
/// `output` is the forward pass's; `gradients` are those of its results, undefined where these are not used.
std::vector<at::Tensor> run_backward(const Layer& layer, const at::Tensor& output, const Kept& kept,
                                     const std::vector<at::Tensor>& gradients, const std::vector<bool>& needed);

}  // namespace packseq::engine
