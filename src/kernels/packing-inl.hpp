// Matrices in the order in which the micro-kernel reads them. Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_PACKING_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_PACKING_INL
#undef PACKSEQ_KERNELS_PACKING_INL
#else
#define PACKSEQ_KERNELS_PACKING_INL
#endif

#include <algorithm>
#include <cstddef>
#include <vector>

#include "hwy/highway.h"
#include "kernels/arena.hpp"
#include "kernels/bfloat16-inl.hpp"
#include "kernels/executor.hpp"
#include "kernels/plan.hpp"
#include "kernels/precision.hpp"
#include "kernels/team.hpp"
#include "kernels/transpose-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Vectors of a panel. With the rows of a tile they fill the registers: 6 * 2 of 16, 6 * 4 of 32.
#if (HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3) || HWY_ARCH_ARM_A64  // better targets have lower numbers
constexpr std::size_t panel_vectors = 4;
#else
constexpr std::size_t panel_vectors = 2;
#endif

/// Columns of a panel.
template <class T>
HWY_INLINE std::size_t panel_width() {
  return panel_vectors * hn::Lanes(hn::ScalableTag<T>());
}
template <class T>
constexpr std::size_t max_panel_width = panel_vectors* hn::MaxLanes(hn::ScalableTag<T>());

/// How far apart rows of `size` numbers lie: an odd number of cache lines. A power of two apart, they would compete for
/// the same places in the cache.
template <class T>
constexpr std::size_t spread_stride(std::size_t size) {
  constexpr std::size_t line = 64 / sizeof(T);
  return ((size + line - 1) / line | 1) * line;
}

/// A matrix [depth, columns] in panels: panel p holds columns p * width ... of all rows, row after row or in pairs of
/// rows, and zeros beyond the last column. Or a block of it: `depth` rows of some panels.
template <class T>
struct PackedMatrix {
  const T* data = nullptr;
  std::size_t depth = 0;
  std::size_t columns = 0;
  Format format = Format::plain;
  // Where a block begins in the whole matrix; `columns` are the whole's.
  std::size_t first_panel = 0;
  std::size_t first_row = 0;

  std::size_t panels() const { return (columns + panel_width<T>() - 1) / panel_width<T>(); }
  std::size_t places() const { return places_of(format, depth); }
  std::size_t size() const { return panels() * panel_width<T>() * places(); }
  const T* panel(std::size_t p) const { return data + (p - first_panel) * panel_width<T>() * places(); }
  Range columns_of(std::size_t p) const {
    return {p * panel_width<T>(), std::min((p + 1) * panel_width<T>(), columns)};
  }
};

/// The rows of a matrix, or its columns, whichever lie in one piece: line i is number (i + rotation) % count of those
/// that lie `stride` apart, or at `addresses[i]`, if they are set.
template <class T>
struct Lines {
  const T* data = nullptr;
  std::size_t count = 0;
  std::size_t stride = 0;
  std::size_t rotation = 0;
  const T* const* addresses = nullptr;

  const T* operator[](std::size_t i) const {
    return addresses != nullptr ? addresses[i] : data + (i + rotation) % count * stride;
  }
  /// Of lines without addresses: how many from line i on lie one after the other.
  std::size_t in_a_row(std::size_t i) const { return count - (i + rotation) % count; }
};

/// A panel of a matrix of which these are the rows: some of the columns, for the rows in `depth`.
template <class T>
void pack_rows(const Lines<T>& rows, const Range& columns, const Range& depth, T* panel) {
  const std::size_t width = panel_width<T>();
  for (std::size_t k = depth.begin; k < depth.end; ++k, panel += width) {
    std::copy_n(rows[k] + columns.begin, columns.size(), panel);
    std::fill(panel + columns.size(), panel + width, T{0});
  }
}

/// The same, rounded.
template <class T>
void pack_rounded_rows(const Lines<T>& rows, const Range& columns, const Range& depth, float* panel) {
  const std::size_t width = panel_width<float>();
  for (std::size_t k = depth.begin; k < depth.end; ++k, panel += width) {
    convert_line<Rounded>(rows[k] + columns.begin, columns.size(), panel);
    std::fill(panel + columns.size(), panel + width, 0.0F);
  }
}

/// The same in pairs.
template <class T>
void pack_row_pairs(const Lines<T>& rows, const Range& columns, const Range& depth, float* panel) {
  const std::size_t width = panel_width<float>();
  constexpr T zeros[max_panel_width<float>] = {};
  for (std::size_t k = depth.begin; k < depth.end; k += 2, panel += width) {
    const T* const second = k + 1 < depth.end ? rows[k + 1] + columns.begin : zeros;
    pair_lines(rows[k] + columns.begin, second, columns.size(), panel);
    std::fill(panel + columns.size(), panel + width, 0.0F);
  }
}

/// The same of a matrix of which these are the columns, without addresses: a vector of them at a time, where they lie
/// one after the other.
template <class Places, class T>
void pack_columns(const Lines<T>& lines, const Range& columns, const Range& depth, Computed<T>* panel) {
  const std::size_t width = panel_width<Computed<T>>();
  const std::size_t lanes = hn::Lanes(hn::ScalableTag<Computed<T>>());
  for (std::size_t n = columns.begin; n < columns.end;) {
    const T* const column = lines[n] + depth.begin;
    Computed<T>* to = panel + (n - columns.begin);
    if (lanes <= std::min(columns.end - n, lines.in_a_row(n))) {
      transpose<Places>(column, lines.stride, depth.size(), to, width);
      n += lanes;
    } else {
      for (std::size_t k = 0; k < depth.size(); k += Places::numbers, to += width) {
        *to = Places::one(column + k, depth.size() - k);
      }
      ++n;
    }
  }
  for (std::size_t k = 0; columns.size() < width && k < depth.size(); k += Places::numbers, panel += width) {
    std::fill(panel + columns.size(), panel + width, Computed<T>{0});
  }
}

/// A panel of a matrix, given by its rows or its columns, in any form.
template <class T>
void pack_panel(const Lines<T>& lines, bool are_rows, Format format, const Range& columns, const Range& depth,
                Computed<T>* panel) {
  if constexpr (can_be_rounded<T>) {
    if (format == Format::pairs) {
      return are_rows ? pack_row_pairs(lines, columns, depth, panel)
                      : pack_columns<Pairs>(lines, columns, depth, panel);
    }
    if (format == Format::rounded) {
      return are_rows ? pack_rounded_rows(lines, columns, depth, panel)
                      : pack_columns<Rounded>(lines, columns, depth, panel);
    }
  }
  if constexpr (!is_narrow<T>) {
    return are_rows ? pack_rows(lines, columns, depth, panel) : pack_columns<Elements<T>>(lines, columns, depth, panel);
  }
}

/// A matrix on its way into panels, given by its rows or by its columns.
template <class T>
class Packing {
 public:
  /// Of rows that are yet to be taken, at most `max_depth` at a time.
  Packing(Arena& arena, std::size_t max_depth, std::size_t columns, Format format)
      : packed_{nullptr, max_depth, columns, format} {
    packed_.data = to_ = arena.take<Computed<T>>(packed_.size());
  }
  /// Of columns, into `to`.
  Packing(const Lines<T>& columns, Format format, Computed<T>* to)
      : packed_{to, columns.stride, columns.count, format}, to_(to), lines_(columns), are_rows_(false) {}

  void take_rows(const Lines<T>& rows) {
    lines_ = rows;
    packed_.depth = rows.count;
  }

  const PackedMatrix<Computed<T>>& packed() const { return packed_; }

  /// Fills panel `p`.
  void pack(std::size_t p) const {
    if (packed_.depth == 0) return;
    Computed<T>* const panel = to_ + p * panel_width<Computed<T>>() * packed_.places();
    pack_panel(lines_, are_rows_, packed_.format, packed_.columns_of(p), {0, packed_.depth}, panel);
  }

 private:
  PackedMatrix<Computed<T>> packed_;
  Computed<T>* to_;
  Lines<T> lines_;
  bool are_rows_ = true;
};

/// Fills a worker's part of the panels of some matrices.
template <class T>
void pack_part(const std::vector<Packing<T>*>& matrices, const Worker& worker) {
  for (auto* matrix : matrices) {
    const Range panels = worker.part_of(matrix->packed().panels());
    for (std::size_t p = panels.begin; p < panels.end; ++p) matrix->pack(p);
  }
}

/// Fills all panels of some matrices.
template <class T>
void pack(const std::vector<Packing<T>*>& matrices, std::size_t threads, const Executor& executor) {
  constexpr std::size_t bytes_worth_a_thread = 256 << 10;
  std::size_t bytes = 0;
  for (const auto* matrix : matrices) bytes += matrix->packed().size() * sizeof(Computed<T>);
  const std::size_t parts = std::clamp<std::size_t>(bytes / bytes_worth_a_thread, 1, threads);
  executor(parts, [&](std::size_t begin, std::size_t end) { pack_part(matrices, Worker({begin, end}, parts)); });
}

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
