// C = A * B for packed B: the register-tile micro-kernel. Compiled once for each CPU target.
//
// Every element of C is computed by one chain of multiply-adds, in the order of k, whatever the tile it falls into: a
// row of C depends on nothing but its row of A. That is why a document's result does not depend on its batch.

#if defined(PACKSEQ_KERNELS_MATMUL_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_MATMUL_INL
#undef PACKSEQ_KERNELS_MATMUL_INL
#else
#define PACKSEQ_KERNELS_MATMUL_INL
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hwy/highway.h"
#include "kernels/multiply_adds.hpp"
#include "kernels/packing-inl.hpp"
#include "kernels/plan.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t tile_rows = 6;

/// Rows of A in the form in which a packed matrix wants them: as they are, which those of bfloat16 are in pairs, or in
/// memory for as many as are multiplied at a time.
template <class T>
class RowsInForm {
 public:
  RowsInForm() = default;
  RowsInForm(Arena& arena, Format format, std::size_t max_rows, std::size_t max_width) : format_(format) {
    if (format == Format::plain) return;
    stride_ = spread_stride<Computed<T>>(places_of(format, max_width));
    memory_ = arena.take<Computed<T>>(max_rows * stride_);
    rows_ = arena.take<const Computed<T>*>(max_rows);
  }

  /// Some rows, so wide, until the next call.
  const Computed<T>* const* of(const T* const* rows, std::size_t count, std::size_t width) const {
    if constexpr (!is_narrow<T>) {
      if (format_ == Format::plain) return rows;
    }
    if constexpr (can_be_rounded<T>) {
      for (std::size_t i = 0; i < count; ++i) rows_[i] = in_form(rows[i], width, memory_ + i * stride_);
    }
    return rows_;
  }

 private:
  const float* in_form(const T* row, std::size_t width, float* memory) const {
    if (format_ == Format::pairs) {
      if constexpr (is_narrow<T>) {
        const void* const place = row;
        const bool is_of_words = reinterpret_cast<std::uintptr_t>(place) % alignof(float) == 0;
        if (is_of_words && width % 2 == 0) return static_cast<const float*>(place);
      }
      convert_line<Pairs>(row, width, memory);
    } else {
      convert_line<Rounded>(row, width, memory);
    }
    return memory;
  }

  Format format_ = Format::plain;
  std::size_t stride_ = 0;
  Computed<T>* memory_ = nullptr;
  const Computed<T>** rows_ = nullptr;
};

/// R rows of A, each in one piece, from a column on.
template <class T>
struct RowsOfA {
  const T* const* rows;
  std::size_t first;
  HWY_INLINE T operator()(std::size_t r, std::size_t k) const {
    T element;  // two numbers of a tensor, perhaps, that lie there as such
    std::memcpy(&element, rows[r] + first + k, sizeof(T));
    return element;
  }
};

/// R rows of C, P panels wide, from `column` on; of a panel, the first V vectors. They start from the rows of `start`,
/// which may be C's own. `a(r, k)` is an element of A; the panels of B, `panel` apart, are `depth` deep, or deeper.
template <class Op, std::size_t R, std::size_t P, std::size_t V = panel_vectors, class A, class T>
HWY_INLINE void tile(A a, std::size_t depth, const T* HWY_RESTRICT b, std::size_t panel, T* const* c,
                     std::size_t column, const T* const* start) {
  constexpr std::size_t N = P * V;
  static_assert(R <= 8 && N <= 8, "loops that are not unrolled keep the sums in memory, not in registers");
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  hn::Vec<decltype(d)> sum[R][N];
  HWY_UNROLL(8)
  for (std::size_t r = 0; r < R; ++r) {
    HWY_UNROLL(8)
    for (std::size_t n = 0; n < N; ++n) {
      sum[r][n] = hn::LoadU(d, start[r] + column + n * lanes);
    }
  }
  HWY_UNROLL(4)  // the fewer rounds a loop has, the sooner a CPU foresees its end
  for (std::size_t k = 0; k < depth; ++k) {
    const auto load = [&](std::size_t n) {
      return hn::Load(d, b + n / V * panel + (k * panel_vectors + n % V) * lanes);
    };
    // Beside the sums there are registers for the fewer of the two: the rows' elements or the weights.
    if constexpr (R < N) {
      hn::Vec<decltype(d)> x[R];
      HWY_UNROLL(8)
      for (std::size_t r = 0; r < R; ++r) x[r] = hn::Set(d, a(r, k));
      HWY_UNROLL(8)
      for (std::size_t n = 0; n < N; ++n) {
        const auto weight = load(n);
        HWY_UNROLL(8)
        for (std::size_t r = 0; r < R; ++r) sum[r][n] = Op::apply(x[r], weight, sum[r][n]);
      }
    } else {
      hn::Vec<decltype(d)> weight[N];
      HWY_UNROLL(8)
      for (std::size_t n = 0; n < N; ++n) weight[n] = load(n);
      HWY_UNROLL(8)
      for (std::size_t r = 0; r < R; ++r) {
        const auto x = hn::Set(d, a(r, k));
        HWY_UNROLL(8)
        for (std::size_t n = 0; n < N; ++n) sum[r][n] = Op::apply(x, weight[n], sum[r][n]);
      }
    }
  }
  HWY_UNROLL(8)
  for (std::size_t r = 0; r < R; ++r) {
    HWY_UNROLL(8)
    for (std::size_t n = 0; n < N; ++n) hn::StoreU(sum[r][n], d, c[r] + column + n * lanes);
  }
}

/// A tile at the right edge, where C ends within the panel: what the last of its vectors has beyond is computed, and
/// dropped. V is an upper bound of the vectors.
template <class Op, std::size_t R, std::size_t V = panel_vectors, class A, class T>
HWY_NOINLINE void edge_tile(A a, std::size_t depth, const T* b, T* const* c, std::size_t column, std::size_t columns,
                            const T* const* start) {
  const std::size_t lanes = hn::Lanes(hn::ScalableTag<T>());
  if constexpr (V > 1) {
    if (columns <= (V - 1) * lanes) return edge_tile<Op, R, V - 1>(a, depth, b, c, column, columns, start);
  }
  const std::size_t width = V * lanes;
  HWY_ALIGN T buffer[R * max_panel_width<T>];
  T* rows[R];
  for (std::size_t r = 0; r < R; ++r) {
    rows[r] = buffer + r * width;
    std::copy_n(start[r] + column, columns, rows[r]);
    std::fill(rows[r] + columns, rows[r] + width, T{0});
  }
  tile<Op, R, 1, V>(a, depth, b, 0, rows, 0, rows);
  for (std::size_t r = 0; r < R; ++r) std::copy(rows[r], rows[r] + columns, c[r] + column);
}

// Few rows take two panels at once, from which more can be on its way from a far cache than from one. From a near cache
// one is faster.
constexpr std::size_t bytes_of_a_near_cache = 768 << 10;

/// R rows of C in some panels.
template <class Op, std::size_t R, class T>
HWY_NOINLINE void row_tile(const T* const* a, const PackedMatrix<T>& b, const Range& panels, T* const* c,
                           const T* const* start) {
  constexpr std::size_t P = R <= 3 ? 2 : 1;
  const std::size_t width = panel_width<T>();
  const std::size_t whole = std::min(panels.end, b.columns / width);
  std::size_t p = panels.begin;
  const std::size_t depth = b.places();
  const std::size_t panel = depth * width;
  const RowsOfA<T> rows = {a, places_of(b.format, b.first_row)};
  if (P > 1 && b.size() * sizeof(T) > bytes_of_a_near_cache) {
    for (; p + P <= whole; p += P) tile<Op, R, P>(rows, depth, b.panel(p), panel, c, p * width, start);
  }
  for (; p < whole; ++p) tile<Op, R, 1>(rows, depth, b.panel(p), panel, c, p * width, start);
  if (p < panels.end) edge_tile<Op, R>(rows, depth, b.panel(p), c, p * width, b.columns - p * width, start);
}

template <class T>
using RowTile = void (*)(const T* const*, const PackedMatrix<T>&, const Range&, T* const*, const T* const*);

/// By their number of rows.
template <class T, class Op>
constexpr RowTile<T> row_tiles[tile_rows] = {row_tile<Op, 1, T>, row_tile<Op, 2, T>, row_tile<Op, 3, T>,
                                             row_tile<Op, 4, T>, row_tile<Op, 5, T>, row_tile<Op, 6, T>};

/// `select` of the multiply-add that factors in this form want.
template <class T, class Select>
auto select_by_form(Format format, const Select& select) {
  if constexpr (sizeof(T) == sizeof(float)) {
    if (format == Format::pairs) return select(MultiplyAddPairs());
  }
  (void)format;
  return select(MultiplyAdd());
}

/// C = A * B + S in some panels of B; A, S and C are given by their rows, those of A in the form of B. S may be C
/// itself, or have one row for all.
template <class T>
void multiply(const T* const* a, std::size_t rows, const PackedMatrix<T>& b, const Range& panels, T* const* c,
              const T* const* start) {
  if (rows == 0 || panels.size() == 0) return;
  count_multiply_adds(rows * b.depth *
                      Range{b.columns_of(panels.begin).begin, b.columns_of(panels.end - 1).end}.size());
  // As even as can be: 13 rows are 5 + 4 + 4.
  const std::size_t tiles = (rows + tile_rows - 1) / tile_rows;
  // A panel stays in a near cache for all rows; where there is but one tile, that takes all panels in one go.
  const std::size_t step = tiles == 1 ? panels.size() : 1;
  const RowTile<T>* const row_tile_of = select_by_form<T>(b.format, [](auto op) { return row_tiles<T, decltype(op)>; });
  for (std::size_t p = panels.begin; p < panels.end; p += step) {
    for (std::size_t t = 0, row = 0; t < tiles; ++t) {
      const std::size_t height = rows / tiles + (t < rows % tiles ? 1 : 0);
      row_tile_of[height - 1](a + row, b, {p, p + step}, c + row, start + row);
      row += height;
    }
  }
}

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
