// The gradients of a layer's input and weights: products over many rows at once. Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_LAYER_PRODUCTS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_LAYER_PRODUCTS_INL
#undef PACKSEQ_KERNELS_LAYER_PRODUCTS_INL
#else
#define PACKSEQ_KERNELS_LAYER_PRODUCTS_INL
#endif

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "kernels/add_rows-inl.hpp"
#include "kernels/input_gradients-inl.hpp"
#include "kernels/layer-inl.hpp"
#include "kernels/outer_products-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {

/// Where the gradients of a direction's weights are added up.
template <class T>
struct WeightGradients {
  Computed<T>* ih;
  Computed<T>* hh;
  Computed<T>* bias_ih;
  Computed<T>* bias_hh;
  Computed<T>* hr;
};

/// Adds what follows from the gate gradients of a direction's rows.
template <class T>
class LayerProducts {
 public:
  LayerProducts(Arena& arena, const Backward<T>& direction, const CellKernels<T>& cell, std::size_t max_rows,
                std::size_t threads)
      : direction_(direction),
        cell_(cell),
        input_(arena, direction, cell, max_rows, threads),
        inputs_(arena, max_rows, direction.d_weight_ih != nullptr ? direction.input_size : 0, format()),
        hidden_before_(arena, max_rows, direction.d_weight_hh != nullptr ? direction.output_size : 0, format()),
        unprojected_(arena, max_rows, direction.d_weight_hr != nullptr ? direction.hidden_size : 0, format()),
        max_rows_(max_rows),
        d_distinct_(take_zeros<Computed<T>>(arena, sums_by_index() ? direction.input_rows * d_distinct_stride() : 0)) {
    for_weight_gradients([&](T* d_weight, Computed<T>*& sums, std::size_t size) {
      if constexpr (is_narrow<T>) {
        sums = d_weight != nullptr ? take_zeros<Computed<T>>(arena, size) : nullptr;
      } else {
        sums = d_weight;
      }
    });
    for (std::size_t i = 0; i < threads; ++i) {
      scratch_.push_back({arena.take<Computed<T>>(columns_per_group * rows_per_block),
                          arena.take<Computed<T>>(direction.hidden_size)});
    }
  }

  void collect(std::vector<Packing<T>*>& weights) { input_.collect(weights); }

  /// Where tokens have an index, their gradients are summed by it first.
  void run(const RowGradients<T>& of, std::size_t threads, const Executor& executor) {
    run(of, {.input = direction_.index == nullptr, .hidden = true}, threads, executor);
  }

  /// After all parts have run: the products with the distinct rows of the input, and the sums where they belong.
  void finish(std::size_t threads, const Executor& executor) {
    if (sums_by_index()) run_distinct(threads, executor);
    if constexpr (is_narrow<T>) {
      for_weight_gradients([&](T* d_weight, const float* sums, std::size_t size) {
        if (d_weight == nullptr) return;
        executor(threads, [&](std::size_t begin, std::size_t end) {
          const Range part = Worker({begin, end}, threads).part_of(size);
          add_narrow(sums + part.begin, part.size(), d_weight + part.begin);
        });
      });
    }
  }

 private:
  static constexpr std::size_t gates_worth_a_thread = 8192;

  void run_distinct(std::size_t threads, const Executor& executor) {
    for (std::size_t row = 0; row < direction_.input_rows; row += max_rows_) {
      const Range rows = {row, std::min(row + max_rows_, direction_.input_rows)};
      const Computed<T>* const d_sums = d_distinct_ + row * d_distinct_stride();
      run({rows, d_sums, d_distinct_stride(), nullptr, nullptr, nullptr}, {.input = true, .hidden = false}, threads,
          executor);
    }
  }

  /// Calls `body(d_weight, sums, size)` for each.
  template <class Body>
  void for_weight_gradients(const Body& body) {
    const std::size_t of_input = cell_.input_gates * direction_.hidden_size;
    const std::size_t of_hidden = cell_.hidden_gates * direction_.hidden_size;
    body(direction_.d_weight_ih, sums_.ih, of_input * direction_.input_size);
    body(direction_.d_weight_hh, sums_.hh, of_hidden * direction_.output_size);
    body(direction_.d_bias_ih, sums_.bias_ih, of_input);
    body(direction_.d_bias_hh, sums_.bias_hh, of_hidden);
    body(direction_.d_weight_hr, sums_.hr, direction_.output_size * direction_.hidden_size);
  }

  /// With what the gate gradients are multiplied.
  struct Factors {
    bool input;
    bool hidden;  ///< And what goes with it: the biases, the projection, the sums by index.
  };

  Format format() const { return format_of<T>(direction_.precision); }
  std::size_t gate_row() const { return cell_.gates * direction_.hidden_size; }
  bool sums_by_index() const {
    return direction_.index != nullptr && (direction_.d_input != nullptr || direction_.d_weight_ih != nullptr);
  }
  std::size_t d_distinct_stride() const {
    return spread_stride<Computed<T>>(cell_.input_gates * direction_.hidden_size);
  }

  /// Memory of a worker.
  struct Scratch {
    Computed<T>* gathered;
    Computed<T>* column_sums;
  };

  void run(const RowGradients<T>& of, const Factors& factors, std::size_t threads, const Executor& executor) {
    const std::vector<Packing<T>*> packings = take_rows(of, factors);
    const std::size_t parts = std::clamp<std::size_t>(of.rows.size() * gate_row() / gates_worth_a_thread, 1, threads);
    executor(parts, [&](std::size_t begin, std::size_t end) {
      const Worker worker({begin, end}, parts);
      if (factors.input) input_.add(of, worker.part_of(of.rows.size()), begin);
      pack_part<T>(packings, worker);
    });
    executor(parts, [&](std::size_t begin, std::size_t end) {
      const Worker worker({begin, end}, parts);
      const Range units = worker.part_of(direction_.hidden_size);
      const Scratch& scratch = scratch_[begin];
      for (std::size_t block = 0; block < cell_.gates; ++block) add_to_weights(of, factors, block, units, scratch);
      if (!factors.hidden) return;
      add_to_projection(of, worker.part_of(direction_.output_size), scratch.gathered);
      if (sums_by_index()) add_by_index(of, units);
    });
  }

  /// What is to be packed for these rows.
  std::vector<Packing<T>*> take_rows(const RowGradients<T>& of, const Factors& factors) {
    std::vector<Packing<T>*> packings;
    if (factors.input) {
      inputs_.take_rows(
          {direction_.input + of.rows.begin * direction_.input_size, of.rows.size(), direction_.input_size});
      packings.push_back(&inputs_);
    }
    if (factors.hidden) {
      hidden_before_.take_rows({.count = of.rows.size(), .addresses = of.hidden_before});
      packings.push_back(&hidden_before_);
    }
    if (factors.hidden && direction_.d_weight_hr != nullptr) {
      unprojected_.take_rows({of.unprojected, of.rows.size(), direction_.hidden_size});
      packings.push_back(&unprojected_);
    }
    return packings;
  }

  /// Of some units of the gates that the input has a part in.
  void add_by_index(const RowGradients<T>& of, const Range& units) {
    std::array<Range, 4> columns;  // no cell has more gates
    for (std::size_t block = 0; block < cell_.input_gates; ++block) {
      const std::size_t first = block * direction_.hidden_size;
      columns[block] = {first + units.begin, first + units.end};
    }
    add_columns_of_rows(of.d_gates, of.d_gates_stride, {direction_.index + of.rows.begin, of.rows.size()},
                        {columns.data(), cell_.input_gates}, d_distinct_, d_distinct_stride());
  }

  /// Of some units of a block of gates.
  void add_to_weights(const RowGradients<T>& of, const Factors& factors, std::size_t block, const Range& units,
                      const Scratch& scratch) const {
    const std::size_t hidden = direction_.hidden_size;
    const ColumnsOfA<Computed<T>> gates = {of.d_gates + block * hidden, of.d_gates_stride, of.rows.size()};
    OuterProduct<Computed<T>> products[2];
    Computed<T>* d_biases[2];
    std::size_t product_count = 0;
    std::size_t bias_count = 0;
    const auto add = [&](std::size_t first_row, const Packing<T>& b, bool is_factor, Computed<T>* d_weight,
                         Computed<T>* d_bias) {
      if (d_weight != nullptr && is_factor) {
        products[product_count++] = {&b.packed(), d_weight + first_row * b.packed().columns};
      }
      if (d_bias != nullptr && factors.hidden) d_biases[bias_count++] = d_bias + first_row;
    };
    const std::size_t first_hidden_block = cell_.gates - cell_.hidden_gates;
    if (block < cell_.input_gates) {
      add((block + cell_.rotation) % cell_.input_gates * hidden, inputs_, factors.input, sums_.ih, sums_.bias_ih);
    }
    if (block >= first_hidden_block) {
      add((block - first_hidden_block) * hidden, hidden_before_, factors.hidden, sums_.hh, sums_.bias_hh);
    }
    if (product_count > 0) add_outer_products<Computed<T>>(gates, units, {products, product_count}, scratch.gathered);
    if (bias_count > 0) add_column_sums<Computed<T>>(gates, units, {d_biases, bias_count}, scratch.column_sums);
  }

  void add_to_projection(const RowGradients<T>& of, const Range& outputs, Computed<T>* gathered) const {
    if (direction_.d_weight_hr == nullptr) return;
    const ColumnsOfA<Computed<T>> d_projected = {of.d_projected, direction_.output_size, of.rows.size()};
    const std::array<OuterProduct<Computed<T>>, 1> products = {{{&unprojected_.packed(), sums_.hr}}};
    add_outer_products<Computed<T>>(d_projected, outputs, products, gathered);
  }

  const Backward<T>& direction_;
  const CellKernels<T>& cell_;
  InputGradients<T> input_;
  Packing<T> inputs_;
  Packing<T> hidden_before_;
  Packing<T> unprojected_;
  std::size_t max_rows_;
  Computed<T>* d_distinct_;  // gate gradients by index, [input_rows, input_gates * H]
  WeightGradients<T> sums_ = {};
  std::vector<Scratch> scratch_;  // of each worker
};

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
