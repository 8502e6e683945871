// The gradients of a layer's input. Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_INPUT_GRADIENTS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_INPUT_GRADIENTS_INL
#undef PACKSEQ_KERNELS_INPUT_GRADIENTS_INL
#else
#define PACKSEQ_KERNELS_INPUT_GRADIENTS_INL
#endif

#include <algorithm>
#include <cstddef>
#include <vector>

#include "kernels/layer-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {

/// What the recurrent part of a backward pass leaves of some rows.
template <class T>
struct RowGradients {
  Range rows;
  const Computed<T>* d_gates;      ///< [rows, gates * H],
  std::size_t d_gates_stride;      ///< so far apart.
  const T* const* hidden_before;   ///< The hidden state before each token, [P].
  const Computed<T>* d_projected;  ///< With a projection: the gradient of its results, [rows, P],
  const T* unprojected;            ///< and what it was given, [rows, H].
};

/// The products of gate gradients with the weights of the input; where no gradients of the input are wanted, nothing.
template <class T>
class InputGradients {
 public:
  /// Of at most `max_rows` rows at a time; `direction` must live as long.
  InputGradients(Arena& arena, const Backward<T>& direction, const CellKernels<T>& cell, std::size_t max_rows,
                 std::size_t threads)
      : direction_(direction),
        weights_(arena, cell.input_gates * direction.hidden_size, is_wanted() ? direction.input_size : 0, format()),
        zeros_(arena, max_rows, direction.input_size),
        from_(arena.take<const Computed<T>*>(max_rows)),
        to_(arena.take<Computed<T>*>(max_rows)) {
    weights_.take_rows(
        {direction.weight_ih, weights_.packed().depth, direction.input_size, cell.rotation * direction.hidden_size});
    const std::size_t rows = is_wanted() ? rows_in_form : 0;
    for (std::size_t i = 0; i < threads; ++i) {
      scratch_.push_back({arena.take<Computed<T>>(is_narrow<T> ? rows * direction.input_size : 0),
                          {arena, format(), rows, weights_.packed().depth}});
    }
  }

  void collect(std::vector<Packing<T>*>& weights) { weights.push_back(&weights_); }

  /// Of some of the rows, by the worker of this number.
  void add(const RowGradients<T>& of, const Range& rows, std::size_t worker) const {
    if (!is_wanted()) return;
    const Scratch& scratch = scratch_[worker];
    const PackedMatrix<Computed<T>>& weights = weights_.packed();
    const std::size_t step = format() == Format::plain ? rows.size() : rows_in_form;
    for (std::size_t row = rows.begin; row < rows.end; row += step) {
      const std::size_t count = std::min(step, rows.end - row);
      for (std::size_t i = 0; i < count; ++i) {
        from_[row + i] = of.d_gates + (row + i) * of.d_gates_stride;
        if constexpr (is_narrow<T>) {
          to_[row + i] = scratch.d_inputs + i * direction_.input_size;
        } else {
          to_[row + i] = d_input(of, row + i);
        }
      }
      Computed<T>* const* const to = to_ + row;
      const bool adds = direction_.adds_to_d_input && !is_narrow<T>;
      multiply<Computed<T>>(scratch.in_form.of(from_ + row, count, weights.depth), count, weights,
                            {0, weights.panels()}, to, adds ? to : zeros_.rows());
      if constexpr (is_narrow<T>) {
        for (std::size_t i = 0; i < count; ++i) put(to[i], d_input(of, row + i));
      }
    }
  }

 private:
  static constexpr std::size_t rows_in_form = 128;  // at a time

  /// Memory of a worker.
  struct Scratch {
    Computed<T>* d_inputs;            // of some rows, where their own memory cannot hold them
    RowsInForm<Computed<T>> in_form;  // of the gates that the input has a part in
  };

  bool is_wanted() const { return direction_.d_input != nullptr; }
  Format format() const { return format_of<T>(direction_.precision); }

  T* d_input(const RowGradients<T>& of, std::size_t i) const {
    return direction_.d_input + (of.rows.begin + i) * direction_.input_size;
  }

  void put(const Computed<T>* from, BFloat16* to) const {
    const std::size_t size = direction_.input_size;
    direction_.adds_to_d_input ? add_narrow(from, size, to) : narrow_line(from, size, to);
  }

  const Backward<T>& direction_;
  Packing<T> weights_;
  RepeatedRow<Computed<T>> zeros_;  // what products start from that are not added
  const Computed<T>** from_;        // of some rows
  Computed<T>** to_;
  std::vector<Scratch> scratch_;  // of each worker
};

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
