#include "engine/layer_passes.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/sum.h>

#include <cstdint>
#include <span>

namespace packseq::engine {
namespace {

using at::Tensor;
using Tensors = std::vector<Tensor>;

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

/// LibTorch's threads.
void parallel(std::size_t parts, const Work& work) {
  if (parts == 1) return work(0, 1);
  at::parallel_for(0, static_cast<std::int64_t>(parts), 1,
                   [&](std::int64_t begin, std::int64_t end) { work(size(begin), size(end)); });
}

/// The sizes of a layer, and its tensors by direction.
class Shape {
 public:
  explicit Shape(const Layer& layer)
      : layer_(layer),
        rows(layer.data.size(0)),
        input(layer.data.size(1)),
        output(layer.h_0.size(2)),
        hidden(layer.c_0.defined() ? layer.c_0.size(2) : output),
        batch(layer.h_0.size(1)),
        directions(layer.bidirectional ? 2 : 1),
        per_direction(layer.parameters.size() / size(directions)),
        gate_row(hidden * static_cast<std::int64_t>(gate_blocks(layer.cell))) {}

  const Tensor& parameter(std::int64_t direction, std::size_t i) const {
    return layer_.parameters[size(direction) * per_direction + i];
  }
  bool has_projection() const { return per_direction % 2 == 1; }

 private:
  const Layer& layer_;

 public:
  const std::int64_t rows, input, output, hidden, batch, directions;
  const std::size_t per_direction;
  const std::int64_t gate_row;
};

template <class T>
const T* pointer(const Tensor& tensor) {
  return tensor.defined() ? tensor.const_data_ptr<T>() : nullptr;
}

template <class T>
T* pointer_to_direction(const Tensor& tensor, std::int64_t direction) {
  return tensor.defined() ? tensor.mutable_data_ptr<T>() + direction * tensor.stride(0) : nullptr;
}

template <class T>
const T* const_pointer_to_direction(const Tensor& tensor, std::int64_t direction) {
  return tensor.defined() ? tensor.const_data_ptr<T>() + direction * tensor.stride(0) : nullptr;
}

template <class T>
void set_direction(engine::Direction<T>& to, const Layer& layer, const Shape& shape, std::int64_t direction,
                   const Tensor& output, const Kept& kept) {
  to.cell = layer.cell;
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
  to.h_0 = const_pointer_to_direction<T>(layer.h_0, direction);
  to.c_0 = const_pointer_to_direction<T>(layer.c_0, direction);
  to.output = output.mutable_data_ptr<T>() + direction * shape.output;
  to.output_stride = size(output.stride(0));
  to.gates = pointer_to_direction<T>(kept.gates, direction);
  to.cells = pointer_to_direction<T>(kept.cells, direction);
}

Plan plan_of(const Layer& layer, const Shape& shape) {
  const auto bytes = size(shape.gate_row * shape.output * layer.data.element_size());
  return make_plan({layer.batch_sizes.const_data_ptr<std::int64_t>(), size(layer.batch_sizes.size(0))},
                   {.threads = at::in_parallel_region() ? 1 : size(at::get_num_threads()),
                    .directions = size(shape.directions),
                    .weight_bytes = bytes});
}

template <class T>
LayerResult forward(const Layer& layer, const Shape& shape, const Kept& kept) {
  const auto options = layer.data.options().requires_grad(false);
  LayerResult result = {
      at::empty({shape.rows, shape.directions * shape.output}, options), at::empty(layer.h_0.sizes(), options), {}};
  if (layer.c_0.defined()) result.c_n = at::empty(layer.c_0.sizes(), options);
  std::vector<Forward<T>> directions(size(shape.directions));
  for (std::int64_t d = 0; d < shape.directions; ++d) {
    Forward<T>& direction = directions[size(d)];
    set_direction<T>(direction, layer, shape, d, result.output, kept);
    direction.h_n = pointer_to_direction<T>(result.h_n, d);
    direction.c_n = pointer_to_direction<T>(result.c_n, d);
  }
  run(std::span<const Forward<T>>(directions), plan_of(layer, shape), parallel);
  return result;
}

/// Where the columns of a gate row have their rows in the input's weights.
struct Block {
  std::int64_t column;
  std::int64_t row;
  std::int64_t size;
};

std::vector<Block> input_blocks(Cell cell, std::int64_t hidden) {
  if (cell == Cell::lstm) return {{0, 0, 4 * hidden}};
  if (cell == Cell::gru) return {{hidden, 0, 2 * hidden}, {0, 2 * hidden, hidden}};
  return {{0, 0, hidden}};
}

/// The gradients of a layer's tensors, in the order of `LayerFunction`'s inputs.
class Gradients {
 public:
  Gradients(const Layer& layer, const Tensor& output, const Kept& kept, const std::vector<bool>& needed)
      : layer_(layer), shape_(layer), output_(output), kept_(kept), needed_(needed) {}

  /// `gradients` are those of output, h_n and c_n.
  Tensors operator()(const Tensors& gradients) {
    const auto options = layer_.data.options().requires_grad(false);
    d_output_ = gradients[0].contiguous();
    d_h_ = gradients[1].clone(at::MemoryFormat::Contiguous);
    if (layer_.c_0.defined()) d_c_ = gradients[2].clone(at::MemoryFormat::Contiguous);
    d_gates_ = at::empty({shape_.directions, shape_.rows, shape_.gate_row}, options);
    h_before_ = at::empty({shape_.directions, shape_.rows, shape_.output}, options);
    if (shape_.has_projection()) {
      d_projected_ = at::empty_like(h_before_);
      unprojected_ = at::empty({shape_.directions, shape_.rows, shape_.hidden}, options);
    }
    layer_.data.scalar_type() == at::kFloat ? run_back<float>() : run_back<double>();
    Tensors result(needed_.size());
    result[0] = of_data();
    if (needed_[1]) result[1] = d_h_;
    if (layer_.c_0.defined()) result[2] = d_c_;
    const std::size_t first = layer_.c_0.defined() ? 3 : 2;
    for (std::int64_t d = 0; d < shape_.directions; ++d) {
      of_parameters(d, first + size(d) * shape_.per_direction, result);
    }
    return result;
  }

 private:
  template <class T>
  void run_back() {
    std::vector<Backward<T>> directions(size(shape_.directions));
    for (std::int64_t d = 0; d < shape_.directions; ++d) {
      Backward<T>& direction = directions[size(d)];
      set_direction<T>(direction, layer_, shape_, d, output_, kept_);
      direction.d_output = d_output_.const_data_ptr<T>() + d * shape_.output;
      direction.d_output_stride = size(d_output_.stride(0));
      direction.needs_d_h_0 = needed_[1];
      direction.d_h = pointer_to_direction<T>(d_h_, d);
      direction.d_c = pointer_to_direction<T>(d_c_, d);
      direction.d_gates = pointer_to_direction<T>(d_gates_, d);
      direction.h_before = pointer_to_direction<T>(h_before_, d);
      direction.d_projected = pointer_to_direction<T>(d_projected_, d);
      direction.unprojected = pointer_to_direction<T>(unprojected_, d);
    }
    run(std::span<const Backward<T>>(directions), plan_of(layer_, shape_), parallel);
  }

  Tensor of_data() const {
    if (!needed_[0]) return {};
    Tensor gradient;
    for (std::int64_t d = 0; d < shape_.directions; ++d) {
      for (const Block& block : input_blocks(layer_.cell, shape_.hidden)) {
        const Tensor d_sums = d_gates_[d].narrow(1, block.column, block.size);
        const Tensor weights = shape_.parameter(d, 0).narrow(0, block.row, block.size);
        gradient = gradient.defined() ? gradient.addmm_(d_sums, weights) : at::mm(d_sums, weights);
      }
    }
    return gradient;
  }

  void of_parameters(std::int64_t direction, std::size_t first, Tensors& result) const {
    const Tensor d_gates = d_gates_[direction];
    const std::int64_t weight_rows = shape_.parameter(direction, 0).size(0);
    const Tensor d_hidden = d_gates.narrow(1, shape_.gate_row - weight_rows, weight_rows);
    if (needed_[first]) result[first] = at::empty_like(shape_.parameter(direction, 0));
    if (layer_.has_biases && needed_[first + 2]) result[first + 2] = at::empty_like(shape_.parameter(direction, 2));
    for (const Block& block : input_blocks(layer_.cell, shape_.hidden)) {
      const Tensor d_sums = d_gates.narrow(1, block.column, block.size);
      if (needed_[first]) {
        Tensor rows = result[first].narrow(0, block.row, block.size);
        at::mm_out(rows, d_sums.t(), layer_.data);
      }
      if (layer_.has_biases && needed_[first + 2]) {
        Tensor rows = result[first + 2].narrow(0, block.row, block.size);
        at::sum_out(rows, d_sums, 0);
      }
    }
    if (needed_[first + 1]) result[first + 1] = at::mm(d_hidden.t(), h_before_[direction]);
    if (layer_.has_biases && needed_[first + 3]) result[first + 3] = d_hidden.sum(0);
    const std::size_t last = first + shape_.per_direction - 1;
    if (shape_.has_projection() && needed_[last]) {
      result[last] = at::mm(d_projected_[direction].t(), unprojected_[direction]);
    }
  }

  const Layer& layer_;
  const Shape shape_;
  const Tensor& output_;
  const Kept& kept_;
  const std::vector<bool>& needed_;
  Tensor d_output_, d_h_, d_c_, d_gates_, h_before_, d_projected_, unprojected_;
};

}  // namespace

Layer contiguous(Layer layer) {
  layer.batch_sizes = layer.batch_sizes.contiguous();
  layer.data = layer.data.contiguous();
  layer.h_0 = layer.h_0.contiguous();
  if (layer.c_0.defined()) layer.c_0 = layer.c_0.contiguous();
  for (Tensor& parameter : layer.parameters) parameter = parameter.contiguous();
  return layer;
}

Kept make_kept(const Layer& layer) {
  const Shape shape(layer);
  const auto options = layer.data.options().requires_grad(false);
  Kept kept;
  if (layer.cell == Cell::lstm || layer.cell == Cell::gru) {
    kept.gates = at::empty({shape.directions, shape.rows, shape.gate_row}, options);
  }
  if (layer.cell == Cell::lstm) kept.cells = at::empty({shape.directions, shape.rows, shape.hidden}, options);
  return kept;
}

LayerResult run_forward(const Layer& layer, const Kept& kept) {
  return layer.data.scalar_type() == at::kFloat ? forward<float>(layer, Shape(layer), kept)
                                                : forward<double>(layer, Shape(layer), kept);
}

std::vector<at::Tensor> run_backward(const Layer& layer, const at::Tensor& output, const Kept& kept,
                                     const std::vector<at::Tensor>& gradients, const std::vector<bool>& needed) {
  return Gradients(layer, output, kept, needed)(gradients);
}

}  // namespace packseq::engine
