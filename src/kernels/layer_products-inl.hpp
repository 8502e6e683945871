// The gradients of a layer's input and weights: products over many rows at once. Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_LAYER_PRODUCTS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_LAYER_PRODUCTS_INL
#undef PACKSEQ_KERNELS_LAYER_PRODUCTS_INL
#else
#define PACKSEQ_KERNELS_LAYER_PRODUCTS_INL
#endif

#include <array>
#include <span>
#include <vector>

#include "kernels/layer-inl.hpp"
#include "kernels/outer_products-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {

/// What the recurrent part of a backward pass leaves of some rows.
template <class T>
struct RowGradients {
  Range rows;
  const T* d_gates;                     ///< [rows, gates * H],
  std::size_t d_gates_stride;           ///< so far apart.
  std::vector<const T*> hidden_before;  ///< The hidden state before each token, [P].
  const T* d_projected;                 ///< With a projection: the gradient of its results, [rows, P],
  const T* unprojected;                 ///< and what it was given, [rows, H].
};

/// Adds what follows from the gate gradients of a direction's rows.
template <class T>
class LayerProducts {
 public:
  LayerProducts(const Backward<T>& direction, const CellKernels<T>& cell, std::size_t max_rows)
      : direction_(direction),
        cell_(cell),
        input_weights_(cell.input_gates * direction.hidden_size,
                       direction.d_input != nullptr ? direction.input_size : 0),
        inputs_(max_rows, direction.d_weight_ih != nullptr ? direction.input_size : 0),
        hidden_before_(max_rows, direction.d_weight_hh != nullptr ? direction.output_size : 0),
        unprojected_(max_rows, direction.d_weight_hr != nullptr ? direction.hidden_size : 0),
        max_rows_(max_rows),
        zeros_(max_rows, direction.input_size),
        d_distinct_(make_zeros<T>(sums_by_index() ? direction.input_rows * d_distinct_stride() : 0)) {
    input_weights_.take_rows(line_addresses(direction.weight_ih, input_weights_.packed().depth, direction.input_size,
                                            cell.rotation * direction.hidden_size));
  }

  void collect(std::vector<Packing<T>*>& weights) { weights.push_back(&input_weights_); }

  /// Where tokens have an index, their gradients are summed by it first.
  void run(const RowGradients<T>& of, std::size_t threads, const Executor& executor) {
    run(of, {.input = direction_.index == nullptr, .hidden = true}, threads, executor);
  }

  /// The products with the distinct rows of the input, after all parts have run.
  void finish(std::size_t threads, const Executor& executor) {
    if (!sums_by_index()) return;
    for (std::size_t row = 0; row < direction_.input_rows; row += max_rows_) {
      const Range rows = {row, std::min(row + max_rows_, direction_.input_rows)};
      const T* const d_sums = d_distinct_.get() + row * d_distinct_stride();
      run({rows, d_sums, d_distinct_stride(), {}, nullptr, nullptr}, {.input = true, .hidden = false}, threads,
          executor);
    }
  }

 private:
  static constexpr std::size_t gates_worth_a_thread = 8192;

  /// With what the gate gradients are multiplied.
  struct Factors {
    bool input;
    bool hidden;  ///< And what goes with it: the biases, the projection, the sums by index.
  };

  std::size_t gate_row() const { return cell_.gates * direction_.hidden_size; }
  bool sums_by_index() const {
    return direction_.index != nullptr && (direction_.d_input != nullptr || direction_.d_weight_ih != nullptr);
  }
  std::size_t d_distinct_stride() const { return spread_stride<T>(cell_.input_gates * direction_.hidden_size); }

  void run(const RowGradients<T>& of, const Factors& factors, std::size_t threads, const Executor& executor) {
    const std::vector<Packing<T>*> packings = take_rows(of, factors);
    const std::size_t parts = std::clamp<std::size_t>(of.rows.size() * gate_row() / gates_worth_a_thread, 1, threads);
    executor(parts, [&](std::size_t begin, std::size_t end) {
      const Worker worker({begin, end}, parts);
      if (factors.input) add_to_input(of, worker.part_of(of.rows.size()));
      pack_part<T>(packings, worker);
    });
    executor(parts, [&](std::size_t begin, std::size_t end) {
      const Worker worker({begin, end}, parts);
      const Range units = worker.part_of(direction_.hidden_size);
      const auto gathered = make_buffer<T>(columns_per_group * rows_per_block);
      for (std::size_t block = 0; block < cell_.gates; ++block) {
        add_to_weights(of, factors, block, units, gathered.get());
      }
      if (!factors.hidden) return;
      add_to_projection(of, worker.part_of(direction_.output_size), gathered.get());
      if (sums_by_index()) add_by_index(of, units);
    });
  }

  /// What is to be packed for these rows.
  std::vector<Packing<T>*> take_rows(const RowGradients<T>& of, const Factors& factors) {
    std::vector<Packing<T>*> packings;
    if (factors.input) {
      inputs_.take_rows(line_addresses(direction_.input + of.rows.begin * direction_.input_size, of.rows.size(),
                                       direction_.input_size));
      packings.push_back(&inputs_);
    }
    if (factors.hidden) {
      hidden_before_.take_rows(of.hidden_before);
      packings.push_back(&hidden_before_);
    }
    if (factors.hidden && direction_.d_weight_hr != nullptr) {
      unprojected_.take_rows(line_addresses(of.unprojected, of.rows.size(), direction_.hidden_size));
      packings.push_back(&unprojected_);
    }
    return packings;
  }

  /// Of some units of the gates that the input has a part in.
  void add_by_index(const RowGradients<T>& of, const Range& units) {
    for (std::size_t i = 0; i < of.rows.size(); ++i) {
      const auto index = static_cast<std::size_t>(direction_.index[of.rows.begin + i]);
      const T* const from = of.d_gates + i * of.d_gates_stride;
      T* const to = d_distinct_.get() + index * d_distinct_stride();
      for (std::size_t block = 0; block < cell_.input_gates; ++block) {
        const std::size_t first = block * direction_.hidden_size;
        for (std::size_t unit = first + units.begin; unit < first + units.end; ++unit) to[unit] += from[unit];
      }
    }
  }

  void add_to_input(const RowGradients<T>& of, const Range& rows) const {
    if (direction_.d_input == nullptr) return;
    std::vector<const T*> from(rows.size());
    std::vector<T*> to(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      from[i] = of.d_gates + (rows.begin + i) * of.d_gates_stride;
      to[i] = direction_.d_input + (of.rows.begin + rows.begin + i) * direction_.input_size;
    }
    const PackedMatrix<T>& weights = input_weights_.packed();
    multiply<T>(from.data(), rows.size(), weights, {0, weights.panels()}, to.data(),
                direction_.adds_to_d_input ? to.data() : zeros_.rows());
  }

  /// Of some units of a block of gates.
  void add_to_weights(const RowGradients<T>& of, const Factors& factors, std::size_t block, const Range& units,
                      T* gathered) const {
    const std::size_t hidden = direction_.hidden_size;
    const ColumnsOfA<T> gates = {of.d_gates + block * hidden, of.d_gates_stride, of.rows.size()};
    std::vector<OuterProduct<T>> products;
    std::vector<T*> d_biases;
    const auto add = [&](std::size_t first_row, const Packing<T>& b, bool is_factor, T* d_weight, T* d_bias) {
      if (d_weight != nullptr && is_factor)
        products.push_back({&b.packed(), d_weight + first_row * b.packed().columns});
      if (d_bias != nullptr && factors.hidden) d_biases.push_back(d_bias + first_row);
    };
    const std::size_t first_hidden_block = cell_.gates - cell_.hidden_gates;
    if (block < cell_.input_gates) {
      add((block + cell_.rotation) % cell_.input_gates * hidden, inputs_, factors.input, direction_.d_weight_ih,
          direction_.d_bias_ih);
    }
    if (block >= first_hidden_block) {
      add((block - first_hidden_block) * hidden, hidden_before_, factors.hidden, direction_.d_weight_hh,
          direction_.d_bias_hh);
    }
    if (!products.empty()) add_outer_products<T>(gates, units, products, gathered);
    if (!d_biases.empty()) add_column_sums<T>(gates, units, d_biases);
  }

  void add_to_projection(const RowGradients<T>& of, const Range& outputs, T* gathered) const {
    if (direction_.d_weight_hr == nullptr) return;
    const ColumnsOfA<T> d_projected = {of.d_projected, direction_.output_size, of.rows.size()};
    const std::array<OuterProduct<T>, 1> products = {{{&unprojected_.packed(), direction_.d_weight_hr}}};
    add_outer_products<T>(d_projected, outputs, products, gathered);
  }

  const Backward<T>& direction_;
  const CellKernels<T>& cell_;
  Packing<T> input_weights_;
  Packing<T> inputs_;
  Packing<T> hidden_before_;
  Packing<T> unprojected_;
  std::size_t max_rows_;
  RepeatedRow<T> zeros_;  // what products start from that are not added
  Buffer<T> d_distinct_;  // gate gradients by index, [input_rows, input_gates * H]
};

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
