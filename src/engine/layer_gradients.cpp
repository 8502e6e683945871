#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "engine/layer_passes.hpp"
#include "engine/layer_shape.hpp"

namespace packseq::engine {
namespace {

using at::Tensor;
using Tensors = std::vector<Tensor>;

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

/// `to` = `to` + a * b, or a * b where nothing has been written to it yet.
void add_product(Tensor to, const Tensor& a, const Tensor& b, bool is_first) {
  at::addmm_out(to, to, a, b, /*beta=*/is_first ? 0 : 1);
}

void add(Tensor to, const Tensor& what, bool is_first) {
  if (is_first) {
    to.copy_(what);
  } else {
    to.add_(what);
  }
}

// So many rows' gradients are computed before the products with them: enough for these to be fast, few enough for the
// rows to be still in the cache, and for their memory not to count.
constexpr std::size_t rows_per_part = 1024;

/// The gradients of a layer's tensors, in the order of `run_backward`'s result.
class Gradients {
 public:
  Gradients(const Layer& layer, const Tensor& output, const Kept& kept, const std::vector<bool>& needed)
      : layer_(layer), shape_(layer), output_(output), kept_(kept), needed_(needed), result_(needed.size()) {}

  /// `gradients` are those of output, h_n and c_n.
  Tensors operator()(const Tensors& gradients) {
    d_output_ = gradients[0].contiguous();
    d_h_ = gradients[1].clone(at::MemoryFormat::Contiguous);
    if (layer_.c_0.defined()) d_c_ = gradients[2].clone(at::MemoryFormat::Contiguous);
    const auto parts = make_plans(batch_sizes_of(layer_), plan_options(layer_, shape_), rows_per_part);
    make_buffers(parts);
    layer_.data.scalar_type() == at::kFloat ? run_back<float>(parts) : run_back<double>(parts);
    if (needed_[1]) result_[1] = d_h_;
    if (layer_.c_0.defined()) result_[2] = d_c_;
    return std::move(result_);
  }

 private:
  void make_buffers(const std::vector<Plan>& parts) {
    std::int64_t rows = 0;
    for (const Plan& part : parts) rows = std::max(rows, static_cast<std::int64_t>(part.rows().size()));
    const auto options = layer_.data.options().requires_grad(false);
    d_gates_ = at::empty({shape_.directions, rows, shape_.gate_row}, options);
    h_before_ = at::empty({shape_.directions, rows, shape_.output}, options);
    if (shape_.has_projection()) {
      d_projected_ = at::empty_like(h_before_);
      unprojected_ = at::empty({shape_.directions, rows, shape_.hidden}, options);
    }
    // Two directions come to a row at different times.
    if (needed_[0]) result_[0] = layer_.bidirectional ? at::zeros_like(layer_.data) : at::empty_like(layer_.data);
    const std::size_t first = needed_.size() - layer_.parameters.size();
    for (std::size_t i = 0; i < layer_.parameters.size(); ++i) {
      if (needed_[first + i]) result_[first + i] = at::empty_like(layer_.parameters[i]);
    }
  }

  template <class T>
  void run_back(const std::vector<Plan>& parts) {
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
    std::vector<bool> is_first(size(shape_.directions), true);
    run(std::span<const Backward<T>>(directions), parts, parallel, [&](std::size_t direction, const Range& rows) {
      add_part(static_cast<std::int64_t>(direction), static_cast<std::int64_t>(rows.begin),
               static_cast<std::int64_t>(rows.size()), is_first[direction]);
      is_first[direction] = false;
    });
  }

  /// Adds what the rows [begin, begin + count) have to do with the data and a direction's parameters.
  void add_part(std::int64_t direction, std::int64_t begin, std::int64_t count, bool is_first) {
    const Tensor d_gates = d_gates_[direction].narrow(0, 0, count);
    const Tensor data = layer_.data.narrow(0, begin, count);
    const std::size_t first =
        needed_.size() - layer_.parameters.size() + size(direction) * shape_.per_direction;  // of its parameters
    const bool needs_biases = layer_.has_biases && (needed_[first + 2] || needed_[first + 3]);
    const Tensor sums = needs_biases ? d_gates.sum(0) : Tensor();
    bool is_first_of_data = !layer_.bidirectional;
    for (const Block& block : input_blocks(layer_.cell, shape_.hidden)) {
      const Tensor d_sums = d_gates.narrow(1, block.column, block.size);
      const auto rows_of = [&](const Tensor& tensor) { return tensor.narrow(0, block.row, block.size); };
      if (needed_[0]) {
        add_product(result_[0].narrow(0, begin, count), d_sums, rows_of(shape_.parameter(direction, 0)),
                    is_first_of_data);
        is_first_of_data = false;
      }
      if (needed_[first]) add_product(rows_of(result_[first]), d_sums.t(), data, is_first);
      if (needs_biases && needed_[first + 2]) {
        add(rows_of(result_[first + 2]), sums.narrow(0, block.column, block.size), is_first);
      }
    }
    const std::int64_t weight_rows = shape_.parameter(direction, 1).size(0);
    const Tensor d_hidden = d_gates.narrow(1, shape_.gate_row - weight_rows, weight_rows);
    if (needed_[first + 1]) {
      add_product(result_[first + 1], d_hidden.t(), h_before_[direction].narrow(0, 0, count), is_first);
    }
    if (needs_biases && needed_[first + 3]) {
      add(result_[first + 3], sums.narrow(0, shape_.gate_row - weight_rows, weight_rows), is_first);
    }
    const std::size_t last = first + shape_.per_direction - 1;
    if (shape_.has_projection() && needed_[last]) {
      add_product(result_[last], d_projected_[direction].narrow(0, 0, count).t(),
                  unprojected_[direction].narrow(0, 0, count), is_first);
    }
  }

  const Layer& layer_;
  const Shape shape_;
  const Tensor& output_;
  const Kept& kept_;
  const std::vector<bool>& needed_;
  Tensors result_;
  Tensor d_output_, d_h_, d_c_, d_gates_, h_before_, d_projected_, unprojected_;
};

}  // namespace

std::vector<at::Tensor> run_backward(const Layer& layer, const at::Tensor& output, const Kept& kept,
                                     const std::vector<at::Tensor>& gradients, const std::vector<bool>& needed) {
  return Gradients(layer, output, kept, needed)(gradients);
}

}  // namespace packseq::engine
