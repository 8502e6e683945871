#pragma once

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <c10/util/BFloat16.h>
#include <c10/util/Exception.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "engine/layer_passes.hpp"
#include "kernels/passes.hpp"

namespace packseq::engine {

inline std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

/// LibTorch's threads.
inline void parallel(std::size_t parts, const kernels::Work& work) {
  if (parts == 1) return work(0, 1);
  at::parallel_for(0, static_cast<std::int64_t>(parts), 1,
                   [&](std::int64_t begin, std::int64_t end) { work(size(begin), size(end)); });
}

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

/// A tensor's numbers as the kernels know them.
template <class T>
const T* pointer(const at::Tensor& tensor) {
  if (!tensor.defined()) return nullptr;
  if constexpr (std::is_same_v<T, kernels::BFloat16>) {
    return reinterpret_cast<const T*>(tensor.const_data_ptr<at::BFloat16>());
  } else {
    return tensor.const_data_ptr<T>();
  }
}

template <class T>
T* mutable_pointer(const at::Tensor& tensor) {
  if (!tensor.defined()) return nullptr;
  if constexpr (std::is_same_v<T, kernels::BFloat16>) {
    return reinterpret_cast<T*>(tensor.mutable_data_ptr<at::BFloat16>());
  } else {
    return tensor.mutable_data_ptr<T>();
  }
}

template <class T>
T* pointer_to_direction(const at::Tensor& tensor, std::int64_t direction) {
  return tensor.defined() ? mutable_pointer<T>(tensor) + direction * tensor.stride(0) : nullptr;
}

template <class T>
const T* const_pointer_to_direction(const at::Tensor& tensor, std::int64_t direction) {
  return tensor.defined() ? pointer<T>(tensor) + direction * tensor.stride(0) : nullptr;
}

/// Calls `body(T())` with the type of number that the kernels know for a dtype of the engine's.
template <class Body>
auto with_number(c10::ScalarType dtype, const Body& body) {
  switch (dtype) {
    case at::kFloat:
      return body(float());
    case at::kDouble:
      return body(double());
    default:
      TORCH_INTERNAL_ASSERT(dtype == at::kBFloat16);
      return body(kernels::BFloat16());
  }
}

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
  to.h_0 = const_pointer_to_direction<T>(layer.h_0, direction);
  to.c_0 = const_pointer_to_direction<T>(layer.c_0, direction);
}

template <class T>
void set_direction(kernels::Direction<T>& to, const Layer& layer, const Shape& shape, std::int64_t direction,
                   const at::Tensor& output, const Kept& kept) {
  set_inputs(to, layer, shape, direction);
  to.output = mutable_pointer<T>(output) + direction * shape.output;
  to.output_stride = size(shape.directions * shape.output);
  to.gates = pointer_to_direction<T>(kept.gates, direction);
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

/// How many threads there are to run a pass here.
inline std::size_t threads() { return at::in_parallel_region() ? 1 : size(at::get_num_threads()); }

inline kernels::PlanOptions plan_options(const Shape& shape) {
  return {.threads = threads(),
          .directions = size(shape.directions),
          // Threads that all callers have in common must not wait for each other: then no steps are shared.
          .weight_bytes = AT_PARALLEL_OPENMP ? shape.parameter(0, 1).nbytes() : 0};
}

}  // namespace packseq::engine
