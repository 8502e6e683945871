// What the gates of a layer start from: the biases, and the product of the input. Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_INPUT_PRODUCT_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_INPUT_PRODUCT_INL
#undef PACKSEQ_KERNELS_INPUT_PRODUCT_INL
#else
#define PACKSEQ_KERNELS_INPUT_PRODUCT_INL
#endif

#include <algorithm>
#include <vector>

#include "kernels/layer-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {

// The product is computed for so many rows at a time: enough to read its weights seldom, few enough for the rows to be
// still in the cache when their step comes.
constexpr std::size_t rows_per_chunk = 128;

template <class T>
class InputProduct {
 public:
  /// For at most `max_rows` rows at a time.
  InputProduct(const Forward<T>& direction, const CellKernels<T>& cell, std::size_t max_rows)
      : weights_(direction.input_size, cell.input_gates * direction.hidden_size),
        input_columns_(weights_.packed().columns),
        columns_(cell.gates * direction.hidden_size),
        biases_(max_rows, columns_) {
    const auto& packed = weights_.packed();
    weights_.take_columns(
        line_addresses(direction.weight_ih, packed.columns, packed.depth, cell.rotation * direction.hidden_size));
    if (direction.bias_ih != nullptr) add_biases(direction, cell);
  }

  void collect(std::vector<Packing<T>*>& weights) { weights.push_back(&weights_); }

  /// Fills a worker's part of the gate rows `sums` of some rows of the input.
  void run(const Worker& worker, const std::vector<const T*>& inputs, const std::vector<T*>& sums) const {
    const PackedMatrix<T>& weights = weights_.packed();
    multiply<T>(inputs.data(), inputs.size(), weights, worker.part_of(weights.panels()), sums.data(), biases_.rows());
    if (input_columns_ == columns_) return;
    const Range part = worker.part_of(sums.size());
    for (std::size_t i = part.begin; i < part.end; ++i) {
      std::copy(biases_.row() + input_columns_, biases_.row() + columns_, sums[i] + input_columns_);
    }
  }

 private:
  /// Where both products add to a sum, it starts from both of its biases.
  void add_biases(const Forward<T>& direction, const CellKernels<T>& cell) {
    T* const biases = biases_.row();
    for (std::size_t i = 0; i < input_columns_; ++i) {
      biases[i] = direction.bias_ih[(i + cell.rotation * direction.hidden_size) % input_columns_];
    }
    const std::size_t first = columns_ - cell.hidden_gates * direction.hidden_size;
    for (std::size_t i = first; i < columns_; ++i) biases[i] += direction.bias_hh[i - first];
  }

  Packing<T> weights_;
  std::size_t input_columns_;  // those that the input has a part in
  std::size_t columns_;
  RepeatedRow<T> biases_;
};

/// Fills the gate rows of all rows of the input, from `sums` on.
template <class T>
void project_input(const InputProduct<T>& product, const Forward<T>& direction, T* sums, const Worker& worker) {
  const std::size_t columns = gate_blocks(direction.cell) * direction.hidden_size;
  const Range rows = worker.part_of(direction.input_rows);
  std::vector<const T*> inputs;
  std::vector<T*> to;
  for (std::size_t row = rows.begin; row < rows.end;) {
    const std::size_t end = std::min(row + rows_per_chunk, rows.end);
    inputs.clear();
    to.clear();
    for (; row < end; ++row) {
      inputs.push_back(direction.input + row * direction.input_size);
      to.push_back(sums + row * columns);
    }
    product.run(Worker(), inputs, to);
  }
}

/// The same on its own.
template <class T>
void run_projection(const Forward<T>& direction, const CellKernels<T>& cell, T* sums, std::size_t threads,
                    const Executor& executor) {
  InputProduct<T> product(direction, cell, rows_per_chunk);
  std::vector<Packing<T>*> weights;
  product.collect(weights);
  pack<T>(weights, threads, executor);
  executor(threads, [&](std::size_t begin, std::size_t end) {
    project_input(product, direction, sums, Worker({begin, end}, threads));
  });
}

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
