#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "engine/dtypes.hpp"
#include "engine/layer_passes.hpp"
#include "engine/layer_shape.hpp"

namespace packseq::engine {
namespace {

using at::Tensor;
using Tensors = std::vector<Tensor>;

// So many rows' gate gradients are computed before the products with them: enough for these to be fast, few enough for
// the rows to be still in the cache, and for their memory not to count.
constexpr std::size_t rows_per_part = 1024;

/// Memory for the gradients that are needed, in the order of the layer's tensors: data, states, parameters.
Tensors make_gradients(const Layer& layer, const Tensors& of_results, const std::vector<bool>& needed) {
  Tensors gradients(needed.size());
  // Two directions come to a row at different times.
  if (needed[0]) gradients[0] = layer.bidirectional ? at::zeros_like(layer.data) : at::empty_like(layer.data);
  // The states' begin as those of what the sequences end with, and are always computed. Those of a trie end in its
  // rows, and have a place for each path.
  const c10::ScalarType computed = computed_dtype(layer.data.scalar_type());
  const auto of_state = [&](const Tensor& initial, std::size_t i) {
    if (!layer.has_trie() && of_results[i].defined()) {
      return of_results[i].to(computed, /*non_blocking=*/false, /*copy=*/true, at::MemoryFormat::Contiguous);
    }
    auto sizes = initial.sizes().vec();
    if (layer.has_trie()) sizes[1] = static_cast<std::int64_t>(kernels::count_paths(paths_of(layer)));
    return at::zeros(sizes, layer.data.options().dtype(computed));
  };
  gradients[1] = of_state(layer.h_0, 1);
  if (layer.c_0.defined()) gradients[2] = of_state(layer.c_0, 2);
  const std::size_t first = needed.size() - layer.parameters.size();
  for (std::size_t i = 0; i < layer.parameters.size(); ++i) {
    if (needed[first + i]) gradients[first + i] = at::zeros_like(layer.parameters[i]);
  }
  return gradients;
}

/// The gradient of the output for each token, as wide; where nobody uses the output, a row of zeros for all.
Tensor d_output_of(const Layer& layer, const Tensor& of_output, std::int64_t width) {
  if (!of_output.defined()) return at::zeros({width}, layer.data.options());
  return (layer.batch_first ? of_output.transpose(0, 1) : of_output).contiguous();
}

template <class T>
Tensors backward(const Layer& layer, const Tensor& output, const Kept& kept, const Tensors& of_results,
                 const std::vector<bool>& needed) {
  const Shape shape(layer);
  const Tensor d_output = d_output_of(layer, of_results[0], shape.directions * shape.output);
  Tensor d_cells = layer.keeps_cells ? of_results.back() : Tensor();
  if (d_cells.defined()) d_cells = d_cells.contiguous();
  Tensors gradients = make_gradients(layer, of_results, needed);
  std::vector<kernels::Backward<T>> directions(size(shape.directions));
  for (std::int64_t d = 0; d < shape.directions; ++d) {
    kernels::Backward<T>& direction = directions[size(d)];
    set_direction<T>(direction, layer, shape, d, output, kept);
    direction.d_output = pointer<T>(d_output) + d * shape.output;
    direction.d_output_stride = of_results[0].defined() ? size(shape.directions * shape.output) : 0;
    if (d_cells.defined()) direction.d_cells = pointer<T>(d_cells) + d * shape.hidden;
    direction.needs_d_h_0 = needed[1];
    direction.d_h = mutable_pointer<kernels::Computed<T>>(gradients[1], d);
    if (layer.c_0.defined()) direction.d_c = mutable_pointer<kernels::Computed<T>>(gradients[2], d);
    direction.d_input = mutable_pointer<T>(gradients[0]);
    direction.adds_to_d_input = layer.bidirectional;
    const std::size_t first = needed.size() - layer.parameters.size() + size(d) * shape.per_direction;
    direction.d_weight_ih = mutable_pointer<T>(gradients[first]);
    direction.d_weight_hh = mutable_pointer<T>(gradients[first + 1]);
    if (layer.has_biases) {
      direction.d_bias_ih = mutable_pointer<T>(gradients[first + 2]);
      direction.d_bias_hh = mutable_pointer<T>(gradients[first + 3]);
    }
    if (shape.has_projection()) {
      direction.d_weight_hr = mutable_pointer<T>(gradients[first + shape.per_direction - 1]);
    }
  }
  const auto parts = kernels::make_plans(batch_sizes_of(layer), plan_options(shape), rows_per_part, paths_of(layer));
  kernels::run(std::span<const kernels::Backward<T>>(directions), parts, parallel);
  const c10::ScalarType dtype = layer.data.scalar_type();
  gradients[1] = needed[1] ? gradients[1].to(dtype) : Tensor();
  if (layer.c_0.defined()) gradients[2] = layer.has_trie() ? Tensor() : gradients[2].to(dtype);
  return gradients;
}

}  // namespace

std::vector<at::Tensor> run_backward(const Layer& layer, const at::Tensor& output, const Kept& kept,
                                     const std::vector<at::Tensor>& gradients, const std::vector<bool>& needed) {
  return with_number(layer.data.scalar_type(),
                     [&](auto number) { return backward<decltype(number)>(layer, output, kept, gradients, needed); });
}

}  // namespace packseq::engine
