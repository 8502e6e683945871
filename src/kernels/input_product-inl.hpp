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
#include "kernels/weights-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {

// The product is computed for so many rows at a time: enough to read its weights seldom, few enough for the rows to be
// still in the cache when their step comes.
constexpr std::size_t rows_per_chunk = 128;

template <class T>
class InputProduct {
 public:
  /// For at most `max_rows` rows at a time. The weights are read by so many shares or shared steps, and once more for
  /// each chunk of rows.
  InputProduct(Arena& arena, const Forward<T>& direction, const CellKernels<T>& cell, std::size_t max_rows,
               std::size_t readers)
      : weights_(arena, direction, cell, Role::ih, direction.input_rows / rows_per_chunk + readers),
        columns_(cell.gates * direction.hidden_size),
        biases_(arena, max_rows, columns_) {
    if (direction.bias_ih != nullptr) add_biases(direction, cell);
  }

  void collect(std::vector<Packing<T>*>& weights) { weights_.collect(weights); }

  /// Fills a worker's part of the gate rows `sums` of some rows of the input.
  void run(const Worker& worker, const T* const* inputs, std::size_t rows, Computed<T>* const* sums,
           const RowsInForm<T>& in_form) const {
    weights_.multiply(inputs, rows, worker.part_of(weights_.panels()), sums, biases_.rows(), in_form);
    if (weights_.columns() == columns_) return;
    const Range part = worker.part_of(rows);
    for (std::size_t i = part.begin; i < part.end; ++i) {
      std::copy(biases_.row() + weights_.columns(), biases_.row() + columns_, sums[i] + weights_.columns());
    }
  }

 private:
  /// Where both products add to a sum, it starts from both of its biases.
  void add_biases(const Forward<T>& direction, const CellKernels<T>& cell) {
    Computed<T>* const biases = biases_.row();
    for (std::size_t i = 0; i < weights_.columns(); ++i) {
      biases[i] = computed(direction.bias_ih[(i + cell.rotation * direction.hidden_size) % weights_.columns()]);
    }
    const std::size_t first = columns_ - cell.hidden_gates * direction.hidden_size;
    for (std::size_t i = first; i < columns_; ++i) biases[i] += computed(direction.bias_hh[i - first]);
  }

  Weights<T> weights_;  // of the columns that the input has a part in
  std::size_t columns_;
  RepeatedRow<Computed<T>> biases_;
};

/// Memory for some workers that project input rows.
template <class T>
std::vector<RowsInForm<T>> forms_of_input(Arena& arena, const Forward<T>& direction, std::size_t workers) {
  std::vector<RowsInForm<T>> forms;
  for (std::size_t i = 0; i < workers; ++i) {
    forms.emplace_back(arena, format_of<T>(direction.precision), rows_per_chunk, direction.input_size);
  }
  return forms;
}

/// Fills the gate rows of all rows of the input, from `sums` on.
template <class T>
void project_input(const InputProduct<T>& product, const Forward<T>& direction, Computed<T>* sums, const Worker& worker,
                   const RowsInForm<T>& in_form) {
  const std::size_t columns = gate_blocks(direction.cell) * direction.hidden_size;
  const Range rows = worker.part_of(direction.input_rows);
  const T* inputs[rows_per_chunk];
  Computed<T>* to[rows_per_chunk];
  for (std::size_t row = rows.begin; row < rows.end;) {
    const std::size_t count = std::min(rows_per_chunk, rows.end - row);
    for (std::size_t i = 0; i < count; ++i, ++row) {
      inputs[i] = direction.input + row * direction.input_size;
      to[i] = sums + row * columns;
    }
    product.run(Worker(), inputs, count, to, in_form);
  }
}

/// The same on its own.
template <class T>
void run_projection(const Forward<T>& direction, const CellKernels<T>& cell, Computed<T>* sums, std::size_t threads,
                    const Executor& executor) {
  Arena arena;
  InputProduct<T> product(arena, direction, cell, rows_per_chunk, threads);
  const auto forms = forms_of_input(arena, direction, threads);
  std::vector<Packing<T>*> weights;
  product.collect(weights);
  pack<T>(weights, threads, executor);
  executor(threads, [&](std::size_t begin, std::size_t end) {
    project_input(product, direction, sums, Worker({begin, end}, threads), forms[begin]);
  });
}

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
