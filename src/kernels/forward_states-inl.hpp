// The states of sequences on their way through a forward pass. Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_FORWARD_STATES_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_FORWARD_STATES_INL
#undef PACKSEQ_KERNELS_FORWARD_STATES_INL
#else
#define PACKSEQ_KERNELS_FORWARD_STATES_INL
#endif

#include <algorithm>
#include <cstddef>

#include "kernels/arena.hpp"
#include "kernels/layer-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {

/// Where the cells of a direction read and leave them. Where tensors cannot hold states as cells compute them, the pass
/// has memory of its own.
template <class T>
class ForwardStates {
 public:
  /// `direction` and `plan` must live as long.
  ForwardStates(Arena& arena, const Forward<T>& direction, const CellKernels<T>& cell, const Plan& plan)
      : direction_(direction),
        cell_(cell),
        plan_(plan),
        c_0_(initial_cells(arena, direction, cell, plan)),
        rows_(direction, c_0_, plan),
        wide_h_(arena.take<Computed<T>>(keeps_wide_h() ? plan.path_count * direction.hidden_size : 0)),
        c_(arena.take<Computed<T>>(keeps_wide_c() ? sequences() * direction.hidden_size : 0)) {
    if constexpr (is_narrow<T>) {
      for (std::size_t row = 0; keeps_wide_h() && row < sequences(); ++row) {
        widen_line(direction.h_0 + row * direction.hidden_size, direction.hidden_size, wide_h(plan.path(0, row)));
      }
    } else {
      c_ = direction.c_n;
    }
  }

  T* output(std::size_t row) const { return rows_.output(row); }
  const T* h_before(std::size_t step, std::size_t row) const { return rows_.h_before(step, row); }

  /// Before some units of some rows of a step are computed.
  void begin(std::size_t step, const Range& rows, const Range& units) const {
    // Paths that begin in a step begin with what the row has that they go on from, before another changes it.
    if (!keeps_wide_h() || !plan_.has_trie() || step == 0) return;
    for (std::size_t row = rows.begin; row < rows.end; ++row) {
      const std::size_t path = plan_.path(step, row);
      const std::size_t before = plan_.path(step - 1, rows_.row_before(step, row));
      if (path == before) continue;
      std::copy(wide_h(before) + units.begin, wide_h(before) + units.end, wide_h(path) + units.begin);
    }
  }

  /// Points a token to its states.
  void set(std::size_t step, std::size_t row, ForwardRow<T>& to) const {
    to.h = rows_.output(row);
    if constexpr (is_narrow<T>) {
      if (keeps_wide_h()) to.h_before = to.wide_h = wide_h(plan_.path(step, row));
    } else {
      to.h_before = rows_.h_before(step, row);
    }
    if (!cell_.has_cell_state) return;
    if (direction_.cells != nullptr) {
      to.c_before = rows_.c_before(step, row);
      to.c = rows_.cells(row);
      return;
    }
    const std::size_t first = (row - plan_.offsets[step]) * direction_.hidden_size;
    to.c = c_ + first;
    to.c_before = rows_.has_before(step, row) ? to.c : c_0_ + first;
  }

  /// Copies what sequences end with. Those of a trie end anywhere in it.
  void finish() const {
    if (plan_.has_trie()) return;
    const std::size_t hidden = direction_.hidden_size;
    for (std::size_t rank = 0; rank < sequences(); ++rank) {
      std::size_t last = 0;
      if (!direction_.reverse) {
        while (last + 1 < plan_.steps() && rank < plan_.batch_sizes[last + 1]) ++last;
      }
      const std::size_t row = plan_.offsets[last] + rank;
      std::copy_n(rows_.output(row), direction_.output_size, direction_.h_n + rank * direction_.output_size);
      if (!cell_.has_cell_state || (direction_.cells == nullptr && !is_narrow<T>)) continue;  // then c_ is c_n
      const Computed<T>* const c = direction_.cells != nullptr ? rows_.cells(row) : c_ + rank * hidden;
      to_tensor_line(c, hidden, direction_.c_n + rank * hidden);
    }
  }

 private:
  std::size_t sequences() const { return plan_.batch_sizes.front(); }
  /// A cell reads more of the hidden state than the output holds.
  bool keeps_wide_h() const { return is_narrow<T> && cell_.passes_gradient; }
  bool keeps_wide_c() const { return is_narrow<T> && cell_.has_cell_state && direction_.cells == nullptr; }
  Computed<T>* wide_h(std::size_t path) const { return wide_h_ + path * direction_.hidden_size; }

  const Forward<T>& direction_;
  const CellKernels<T>& cell_;
  const Plan& plan_;
  const Computed<T>* c_0_;
  Rows<T> rows_;
  Computed<T>* wide_h_;  // [paths, H]
  Computed<T>* c_;       // [B, H] where those of all tokens are not kept
};

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
