// C += A^T * B over many rows: what the gradients of weights are. Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_OUTER_PRODUCTS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_OUTER_PRODUCTS_INL
#undef PACKSEQ_KERNELS_OUTER_PRODUCTS_INL
#else
#define PACKSEQ_KERNELS_OUTER_PRODUCTS_INL
#endif

#include <algorithm>
#include <cstddef>
#include <span>

#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "kernels/matmul-inl.hpp"
#include "kernels/multiply_adds.hpp"
#include "kernels/packing-inl.hpp"
#include "kernels/plan.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {

// A tile adds up so many rows before it is written, so that C is read and written seldom. A panel of B, of so many
// rows, is multiplied with so many tiles of A in turn while both are in the second cache.
constexpr std::size_t rows_per_block = 1024;
constexpr std::size_t tiles_per_group = 8;
constexpr std::size_t columns_per_group = tiles_per_group * tile_rows;

/// A row-major A, or some of its columns.
template <class T>
struct ColumnsOfA {
  const T* data;       ///< Of the first row and column.
  std::size_t stride;  ///< Between rows.
  std::size_t rows;
};

/// Adds to C, whose row i belongs to column i of A; C is dense.
template <class T>
struct OuterProduct {
  const PackedMatrix<T>* b;  ///< With as many rows as A.
  T* c;
};

/// R columns of A, row after row or pair after pair: a row of A^T * B reads them as one of A * B would.
template <std::size_t R, class T>
struct TransposedA {
  const T* data;
  HWY_INLINE T operator()(std::size_t r, std::size_t k) const { return data[k * R + r]; }
};

template <std::size_t R, class T>
HWY_NOINLINE void gather_columns(const T* a, std::size_t stride, std::size_t rows, T* to) {
  for (std::size_t k = 0; k < rows; ++k) {
    HWY_UNROLL(8)
    for (std::size_t r = 0; r < R; ++r) to[k * R + r] = a[k * stride + r];
  }
}

/// R rows of C times one panel, for some rows of A and B.
template <class Op, std::size_t R, class T>
HWY_NOINLINE void outer_tile(const T* a, const Range& rows, const PackedMatrix<T>& b, std::size_t panel, T* c) {
  const std::size_t width = panel_width<T>();
  T* rows_of_c[R];
  for (std::size_t r = 0; r < R; ++r) rows_of_c[r] = c + r * b.columns;
  const T* const from = b.panel(panel) + places_of(b.format, rows.begin) * width;
  const std::size_t depth = places_of(b.format, rows.size());
  const std::size_t column = panel * width;
  if (column + width <= b.columns) {
    tile<Op, R, 1>(TransposedA<R, T>{a}, depth, from, 0, rows_of_c, column, rows_of_c);
  } else {
    edge_tile<Op, R>(TransposedA<R, T>{a}, depth, from, rows_of_c, column, b.columns - column, rows_of_c);
  }
}

/// By their number of columns of A.
template <class T>
constexpr decltype(&gather_columns<1, T>) gather_kernels[tile_rows] = {gather_columns<1, T>, gather_columns<2, T>,
                                                                       gather_columns<3, T>, gather_columns<4, T>,
                                                                       gather_columns<5, T>, gather_columns<6, T>};
template <class T, class Op>
constexpr decltype(&outer_tile<Op, 1, T>) outer_kernels[tile_rows] = {outer_tile<Op, 1, T>, outer_tile<Op, 2, T>,
                                                                      outer_tile<Op, 3, T>, outer_tile<Op, 4, T>,
                                                                      outer_tile<Op, 5, T>, outer_tile<Op, 6, T>};

/// Some columns of A in the form of B, up to `columns_per_group`, each tile's in one piece: `first(t)` is tile t's
/// first column, and `to(t)` its place.
template <class T, class First, class To>
void gather(const ColumnsOfA<T>& a, const Range& rows, Format format, std::size_t tiles, const First& first,
            const To& to) {
  // So few rows at a time stay in the first cache for all tiles. Each lies on other pages than the one before: then a
  // CPU fetches nothing ahead by itself.
  constexpr std::size_t rows_at_a_time = 32;
  constexpr T zeros[columns_per_group] = {};
  T pairs[rows_at_a_time / 2 * columns_per_group];
  const std::size_t columns = first(tiles) - first(0);
  for (std::size_t k = 0; k < rows.size(); k += rows_at_a_time) {
    const Range part = {k, std::min(k + rows_at_a_time, rows.size())};
    const auto line = [&](std::size_t row) { return a.data + (rows.begin + row) * a.stride + first(0); };
    for (std::size_t row = part.end; row < std::min(part.end + rows_at_a_time, rows.size()); ++row) {
      for (std::size_t i = 0; i < columns; i += 64 / sizeof(T)) hwy::Prefetch(line(row) + i);
    }
    ColumnsOfA<T> from = {line(k), a.stride, part.size()};
    if constexpr (sizeof(T) == sizeof(float)) {
      if (format == Format::pairs) {
        for (std::size_t row = k; row < part.end; row += 2) {
          const T* const second = row + 1 < part.end ? line(row + 1) : zeros;
          pair_lines(line(row), second, columns, pairs + (row - k) / 2 * columns_per_group);
        }
        from = {pairs, columns_per_group, places_of(format, part.size())};
      }
    }
    for (std::size_t t = 0; t < tiles; ++t) {
      const std::size_t width = first(t + 1) - first(t);
      T* const place = to(t) + places_of(format, k) * width;
      gather_kernels<T>[width - 1](from.data + (first(t) - first(0)), from.stride, from.rows, place);
      if constexpr (sizeof(T) == sizeof(float)) {
        if (format == Format::rounded) convert_line<Rounded>(place, width * from.rows, place);
      }
    }
  }
}

/// Adds the products of up to `columns_per_group` columns, for some rows.
template <class T>
void add_group(const ColumnsOfA<T>& a, const Range& columns, const Range& rows,
               std::span<const OuterProduct<T>> products, T* gathered) {
  const std::size_t tiles = (columns.size() + tile_rows - 1) / tile_rows;
  const auto first_column = [&](std::size_t tile) { return columns.begin + columns.size() * tile / tiles; };
  const Format format = products.front().b->format;
  const auto* const by_columns = select_by_form<T>(format, [](auto op) { return outer_kernels<T, decltype(op)>; });
  const auto kernel = [&](std::size_t tile) { return by_columns[first_column(tile + 1) - first_column(tile) - 1]; };
  const auto gathered_of = [&](std::size_t tile) {
    return gathered + (first_column(tile) - columns.begin) * places_of(format, rows.size());
  };
  gather(a, rows, format, tiles, first_column, gathered_of);
  for (const OuterProduct<T>& product : products) {
    for (std::size_t p = 0; p < product.b->panels(); ++p) {
      for (std::size_t t = 0; t < tiles; ++t) {
        kernel(t)(gathered_of(t), rows, *product.b, p, product.c + first_column(t) * product.b->columns);
      }
    }
  }
}

/// Adds all products with some columns of A. `gathered` is memory for `columns_per_group * rows_per_block`.
template <class T>
void add_outer_products(const ColumnsOfA<T>& a, const Range& columns, std::span<const OuterProduct<T>> products,
                        T* gathered) {
  for (const OuterProduct<T>& product : products) count_multiply_adds(a.rows * columns.size() * product.b->columns);
  for (std::size_t row = 0; row < a.rows; row += rows_per_block) {
    const Range rows = {row, std::min(row + rows_per_block, a.rows)};
    const std::size_t tiles = (columns.size() + tile_rows - 1) / tile_rows;
    const auto first_column = [&](std::size_t tile) { return columns.begin + columns.size() * tile / tiles; };
    for (std::size_t t = 0; t < tiles; t += tiles_per_group) {
      const Range group = {first_column(t), first_column(std::min(t + tiles_per_group, tiles))};
      add_group(a, group, rows, products, gathered);
    }
  }
}

/// Adds the sums of some columns of A to each of `to`, where a number belongs to each column, as in `sums`.
template <class T>
void add_column_sums(const ColumnsOfA<T>& a, const Range& columns, std::span<T* const> to, T* sums) {
  std::fill_n(sums, columns.size(), T{0});
  for (std::size_t row = 0; row < a.rows; ++row) {
    const T* const from = a.data + row * a.stride + columns.begin;
    for (std::size_t i = 0; i < columns.size(); ++i) sums[i] += from[i];
  }
  for (T* const numbers : to) {
    for (std::size_t i = 0; i < columns.size(); ++i) numbers[columns.begin + i] += sums[i];
  }
}

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
