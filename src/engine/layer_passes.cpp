#include "engine/layer_passes.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_strided.h>
#include <ATen/ops/from_blob.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/dtypes.hpp"
#include "engine/frozen.hpp"
#include "engine/layer_shape.hpp"

namespace packseq::engine {
namespace {

using at::Tensor;

at::TensorOptions computed_options(const Tensor& like) {
  return like.options().dtype(computed_dtype(like.scalar_type())).requires_grad(false);
}

template <class T>
Tensor packed(const kernels::Direction<T>& direction, kernels::Role role, const Tensor& weight) {
  const auto packed_size = static_cast<std::int64_t>(kernels::packed_size(direction, role));
  Tensor result = at::empty({packed_size}, computed_options(weight));
  kernels::pack(direction, role, result.mutable_data_ptr<kernels::Computed<T>>(), threads(), parallel);
  return result;
}

/// Points a direction to the packed forms of those of its weights that are frozen; what is returned keeps them alive.
template <class T>
std::array<Tensor, 3> use_frozen(kernels::Direction<T>& direction, const Shape& shape, std::int64_t d) {
  std::array<Tensor, 3> all;
  const auto use = [&](kernels::Role role, const Tensor& weight) {
    Tensor& found = all[static_cast<std::size_t>(role)];
    found =
        find_packed(weight, direction.cell, role, direction.precision, [&] { return packed(direction, role, weight); });
    direction.packed[static_cast<std::size_t>(role)] = pointer<kernels::Computed<T>>(found);
  };
  use(kernels::Role::ih, shape.parameter(d, 0));
  use(kernels::Role::hh, shape.parameter(d, 1));
  if (shape.has_projection()) use(kernels::Role::hr, shape.parameter(d, shape.per_direction - 1));
  return all;
}

/// Memory for a row of so many numbers for each token.
Tensor make_rows(const Layer& layer, const Shape& shape, std::int64_t width, const at::TensorOptions& options) {
  if (layer.arena == nullptr) return at::empty({shape.rows, width}, options);
  const std::size_t bytes = size(shape.rows * width) * options.dtype().itemsize();
  return at::from_blob(layer.arena->take<std::byte>(bytes), {shape.rows, width}, options);
}

/// With LibTorch's strides: a padded batch is [T, B, *] in memory, whatever comes first. It is no view: one that is
/// made without gradients may not be changed in place where gradients are recorded.
Tensor make_output(const Layer& layer, const Shape& shape) {
  const auto options = layer.data.options().requires_grad(false);
  const std::int64_t width = shape.directions * shape.output;
  if (!layer.is_padded()) return make_rows(layer, shape, width, options);
  const std::int64_t steps = layer.data.size(0);
  const std::int64_t documents = layer.data.size(1);
  return layer.batch_first ? at::empty_strided({documents, steps, width}, {width, documents * width, 1}, options)
                           : at::empty({steps, documents, width}, options);
}

Tensor make_cells(const Layer& layer, const Shape& shape) {
  return make_rows(layer, shape, shape.directions * shape.hidden, computed_options(layer.data));
}

template <class T>
LayerResult forward(const Layer& layer, const Shape& shape, const Kept& kept, const Shape& original) {
  const auto options = layer.data.options().requires_grad(false);
  LayerResult result = {make_output(layer, shape), {}, {}, {}};
  if (!layer.has_trie()) result.h_n = at::empty(layer.h_0.sizes(), options);
  if (!layer.has_trie() && layer.c_0.defined()) result.c_n = at::empty(layer.c_0.sizes(), options);
  if (layer.keeps_cells) result.cells = kept.cells;
  std::vector<kernels::Forward<T>> directions(size(shape.directions));
  std::vector<std::array<Tensor, 3>> frozen;
  for (std::int64_t d = 0; d < shape.directions; ++d) {
    kernels::Forward<T>& direction = directions[size(d)];
    set_direction<T>(direction, layer, shape, d, result.output, kept);
    if (layer.is_padded()) direction.input_strides = {size(layer.data.stride(0)), size(layer.data.stride(1))};
    direction.known_sums = pointer<kernels::Computed<T>>(layer.known_sums, d);
    direction.known_rows = layer.known_sums.defined() ? size(layer.known_sums.size(1)) : 0;
    direction.h_n = mutable_pointer<T>(result.h_n, d);
    direction.c_n = mutable_pointer<T>(result.c_n, d);
    frozen.push_back(use_frozen(direction, original, d));
  }
  kernels::run(std::span<const kernels::Forward<T>>(directions),
               kernels::make_plan(batch_sizes_of(layer), plan_options(shape), paths_of(layer)), parallel);
  return result;
}

template <class T>
Tensor projected(const Layer& layer, const Shape& shape) {
  const Tensor sums = at::empty({shape.directions, shape.rows, shape.gate_row}, computed_options(layer.data));
  for (std::int64_t d = 0; d < shape.directions; ++d) {
    kernels::Forward<T> direction;
    set_inputs<T>(direction, layer, shape, d);
    kernels::project(direction, mutable_pointer<kernels::Computed<T>>(sums, d), threads(), parallel);
  }
  return sums;
}

}  // namespace

Layer contiguous(Layer layer) {
  if (!layer.is_padded()) layer.batch_sizes = layer.batch_sizes.contiguous();
  // Tokens of a padded batch may lie anywhere.
  if (!layer.is_padded() || layer.data.stride(2) != 1) layer.data = layer.data.contiguous();
  layer.h_0 = layer.h_0.contiguous();
  if (layer.c_0.defined()) layer.c_0 = layer.c_0.contiguous();
  for (Tensor& parameter : layer.parameters) parameter = parameter.contiguous();
  return layer;
}

Kept make_kept(const Layer& layer) {
  const Shape shape(layer);
  Kept kept;
  if (layer.cell == Cell::lstm || layer.cell == Cell::gru) {
    kept.gates = at::empty({shape.directions, shape.rows, shape.gate_row}, computed_options(layer.data));
  }
  if (layer.cell == Cell::lstm) kept.cells = make_cells(layer, shape);
  return kept;
}

Tensor project_input(const Layer& original) {
  const Layer layer = contiguous(original);
  return with_number(layer.data.scalar_type(),
                     [&](auto number) { return projected<decltype(number)>(layer, Shape(layer)); });
}

LayerResult run_forward(const Layer& original, Kept kept) {
  const Layer layer = contiguous(original);
  if (layer.keeps_cells && !kept.cells.defined()) kept.cells = make_cells(layer, Shape(layer));
  const c10::ScalarType dtype = layer.data.scalar_type();
  LayerResult result = with_number(
      dtype, [&](auto number) { return forward<decltype(number)>(layer, Shape(layer), kept, Shape(original)); });
  if (result.cells.defined()) result.cells = result.cells.to(dtype);
  return result;
}

}  // namespace packseq::engine
