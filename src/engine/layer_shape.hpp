#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/layer_passes.hpp"
#include "engine/tensor_numbers.hpp"
#include "engine/threads.hpp"
#include "kernels/passes.hpp"

namespace packseq::engine {

/// The sizes of a layer, and its tensors by direction.
class Shape {
 public:
  explicit Shape(const Layer& layer)
      : layer_(layer),
        rows(layer.is_padded() ? layer.data.size(0) * layer.data.size(1)
                               : (layer.index.defined() ? layer.index : layer.data).size(0)),
        input(layer.data.size(-1)),
        output(layer.h_0.size(2)),
        hidden(layer.c_0.defined() ? layer.c_0.size(2) : output),
        directions(layer.bidirectional ? 2 : 1),
        per_direction(layer.parameters.size() / size(directions)),
        gate_row(hidden * static_cast<std::int64_t>(gate_blocks(layer.cell))) {}

  const at::Tensor& parameter(std::int64_t direction, std::size_t i) const {
    return layer_.parameters[size(direction) * per_direction + i];
  }
  bool has_projection() const { return per_direction % 2 == 1; }

 private:
  const Layer& layer_;

 public:
  const std::int64_t rows, input, output, hidden, directions;
  const std::size_t per_direction;
  const std::int64_t gate_row;
};

inline kernels::Precision kernel_precision(const Layer& layer) {
  return layer.precision == Precision::bfloat16 ? kernels::Precision::bfloat16 : kernels::Precision::float32;
}

/// What a direction reads.
template <class T>
void set_inputs(kernels::Direction<T>& to, const Layer& layer, const Shape& shape, std::int64_t direction) {
  to.cell = layer.cell;
  to.precision = kernel_precision(layer);
  to.reverse = direction == 1;
  to.input_size = size(shape.input);
  to.hidden_size = size(shape.hidden);
  to.output_size = size(shape.output);
  to.weight_ih = pointer<T>(shape.parameter(direction, 0));
  to.weight_hh = pointer<T>(shape.parameter(direction, 1));
  if (layer.has_biases) {
    to.bias_ih = pointer<T>(shape.parameter(direction, 2));
    to.bias_hh = pointer<T>(shape.parameter(direction, 3));
  }
  if (shape.has_projection()) to.weight_hr = pointer<T>(shape.parameter(direction, shape.per_direction - 1));
  to.input = pointer<T>(layer.data);
  to.input_rows = size(layer.is_padded() ? shape.rows : layer.data.size(0));
  to.index = pointer<std::int32_t>(layer.index);
  to.h_0 = pointer<T>(layer.h_0, direction);
  to.c_0 = pointer<T>(layer.c_0, direction);
}

template <class T>
void set_direction(kernels::Direction<T>& to, const Layer& layer, const Shape& shape, std::int64_t direction,
                   const at::Tensor& output, const Kept& kept) {
  set_inputs(to, layer, shape, direction);
  to.output = mutable_pointer<T>(output) + direction * shape.output;
  to.output_stride = size(shape.directions * shape.output);
  to.gates = mutable_pointer<kernels::Computed<T>>(kept.gates, direction);
  if (!kept.cells.defined()) return;
  to.cells = kept.cells.mutable_data_ptr<kernels::Computed<T>>() + direction * shape.hidden;
  to.cells_stride = size(shape.directions * shape.hidden);
}

inline std::vector<std::int64_t> batch_sizes_of(const Layer& layer) {
  if (layer.is_padded()) return std::vector<std::int64_t>(size(layer.data.size(0)), layer.data.size(1));
  const at::Tensor& batch_sizes = layer.has_trie() ? layer.trie.batch_sizes : layer.batch_sizes;
  const auto* const first = batch_sizes.const_data_ptr<std::int64_t>();
  return {first, first + batch_sizes.size(0)};
}

inline std::span<const std::int32_t> paths_of(const Layer& layer) {
  if (!layer.has_trie()) return {};
  return {layer.trie.paths.const_data_ptr<std::int32_t>(), size(layer.trie.paths.size(0))};
}

inline kernels::PlanOptions plan_options(const Shape& shape) {
  return {.threads = threads(),
          .directions = size(shape.directions),
          // Threads that all callers have in common must not wait for each other: then no steps are shared.
          .weight_bytes = AT_PARALLEL_OPENMP ? shape.parameter(0, 1).nbytes() : 0};
}

}  // namespace packseq::engine
