// The weights that a forward pass multiplies with. Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_WEIGHTS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_WEIGHTS_INL
#undef PACKSEQ_KERNELS_WEIGHTS_INL
#else
#define PACKSEQ_KERNELS_WEIGHTS_INL
#endif

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "kernels/arena.hpp"
#include "kernels/cell-inl.hpp"
#include "kernels/executor.hpp"
#include "kernels/matmul-inl.hpp"
#include "kernels/packing-inl.hpp"
#include "kernels/passes.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {

// Weights that a pass reads at least so often are packed as a whole. Others are packed a block of so many rows at a
// time, just before it is multiplied: it stays in the nearest cache.
constexpr std::size_t reads_worth_packing = 3;
constexpr std::size_t rows_per_packed_block = 64;

/// C = A * B + S in some panels of B, given by its columns; A is in their form. The sums go through the multiply-adds
/// of `multiply` in the same order, and so come to the same bits.
template <class T>
void multiply_by_blocks(const Computed<T>* const* a, std::size_t rows, const Lines<T>& columns, Format format,
                        const Range& panels, Computed<T>* const* c, const Computed<T>* const* start) {
  HWY_ALIGN Computed<T> memory[rows_per_packed_block * max_panel_width<Computed<T>>];
  for (std::size_t p = panels.begin; p < panels.end; ++p) {
    // Of a matrix without rows, too: it has sums.
    for (std::size_t k = 0; k == 0 || k < columns.stride; k += rows_per_packed_block) {
      const Range depth = {k, std::min(k + rows_per_packed_block, columns.stride)};
      const PackedMatrix<Computed<T>> block = {memory, depth.size(), columns.count, format, p, k};
      pack_panel(columns, /*are_rows=*/false, format, block.columns_of(p), depth, memory);
      multiply<Computed<T>>(a, rows, block, {p, p + 1}, c, k == 0 ? start : c);
    }
  }
}

/// The columns of a direction's weights.
template <class T>
Lines<T> columns_of(const Direction<T>& direction, const CellKernels<T>& cell, Role role) {
  const std::size_t hidden = direction.hidden_size;
  switch (role) {
    case Role::ih:
      return {direction.weight_ih, cell.input_gates * hidden, direction.input_size, cell.rotation * hidden};
    case Role::hh:
      return {direction.weight_hh, cell.hidden_gates * hidden, direction.output_size};
    case Role::hr:
      return {direction.weight_hr, direction.weight_hr != nullptr ? direction.output_size : 0, hidden};
  }
  HWY_ABORT("no such weight");
}

/// Weights of a direction, for products. They are packed already, or for a pass that reads them often, else block by
/// block; the results are the same bits.
template <class T>
class Weights {
 public:
  Weights(Arena& arena, const Direction<T>& direction, const CellKernels<T>& cell, Role role, std::size_t reads)
      : columns_(columns_of(direction, cell, role)),
        packed_{direction.packed[static_cast<std::size_t>(role)], columns_.stride, columns_.count,
                format_of<T>(direction.precision)} {
    if (packed_.data != nullptr || reads < reads_worth_packing) return;
    Computed<T>* const to = arena.take<Computed<T>>(packed_.size());
    packed_.data = to;
    packing_.emplace(columns_, packed_.format, to);
  }

  std::size_t columns() const { return packed_.columns; }
  std::size_t panels() const { return packed_.panels(); }

  void collect(std::vector<Packing<T>*>& to_be_packed) {
    if (packing_.has_value()) to_be_packed.push_back(&*packing_);
  }

  /// C = A * B + S in some panels; A, S and C are given by their rows. S may be C itself, or have one row for all.
  void multiply(const T* const* a, std::size_t rows, const Range& panels, Computed<T>* const* c,
                const Computed<T>* const* start, const RowsInForm<T>& in_form) const {
    const Computed<T>* const* const factors = in_form.of(a, rows, packed_.depth);
    if (packed_.data != nullptr) {
      kernels::HWY_NAMESPACE::multiply<Computed<T>>(factors, rows, packed_, panels, c, start);
    } else {
      multiply_by_blocks<T>(factors, rows, columns_, packed_.format, panels, c, start);
    }
  }

 private:
  Lines<T> columns_;
  PackedMatrix<Computed<T>> packed_;
  std::optional<Packing<T>> packing_;
};

template <class T>
std::size_t packed_size_of(const Direction<T>& direction, const CellKernels<T>& cell, Role role) {
  const Lines<T> columns = columns_of(direction, cell, role);
  return PackedMatrix<Computed<T>>{nullptr, columns.stride, columns.count, format_of<T>(direction.precision)}.size();
}

template <class T>
void pack_weight(const Direction<T>& direction, const CellKernels<T>& cell, Role role, Computed<T>* to,
                 std::size_t threads, const Executor& executor) {
  Packing<T> packing(columns_of(direction, cell, role), format_of<T>(direction.precision), to);
  pack<T>({&packing}, threads, executor);
}

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
