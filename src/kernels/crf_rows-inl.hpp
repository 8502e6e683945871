// Rows of tags: a number for each, in whole vectors. Compiled once for each CPU target.
//
// A CRF's sums range over e^-10000 ... e^10000, beyond any number. A row is kept by its logarithms from the largest one
// on; what is summed are their exponentials, 1 and less. Where a sum comes out so small that what was cut off might
// count in it, it is computed once more, by its logarithms.

#if defined(PACKSEQ_KERNELS_CRF_ROWS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_CRF_ROWS_INL
#undef PACKSEQ_KERNELS_CRF_ROWS_INL
#else
#define PACKSEQ_KERNELS_CRF_ROWS_INL
#endif

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"
#include "kernels/matmul-inl.hpp"
#include "kernels/vector_math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
constexpr T minus_infinity = -std::numeric_limits<T>::infinity();

/// Exponentials below 2^-100 (of double, 2^-900) are taken for 0; sums from 2^-60 (2^-700) on are right all the same.
template <class T>
constexpr T smallest_exponent = static_cast<T>(-69.3147);
template <>
inline constexpr double smallest_exponent<double> = -623.832;
template <class T>
constexpr T smallest_sum = static_cast<T>(8.673617379884035e-19);
template <>
inline constexpr double smallest_sum<double> = 1.9010834e-211;
template <class T>
constexpr T smallest_log_sum = static_cast<T>(-41.58883);
template <>
inline constexpr double smallest_log_sum<double> = -485.2030;

/// e^x for x up to 88, 0 for what is small, NaN for NaN.
HWY_INLINE Vector<float> exp_or_zero(Vector<float> x) {
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(Tag<float>(), smallest_exponent<float>)), exp_within(x));
}
HWY_INLINE Vector<double> exp_or_zero(Vector<double> x) {
  const Tag<double> d;
  const auto smallest = hn::Set(d, smallest_exponent<double>);
  const auto within = hn::Max(x, smallest);  // so that Exp turns no NaN into an integer
  return with_nan_of(x, hn::IfThenZeroElse(hn::Lt(x, smallest), hn::Exp(d, within)));
}

/// ln x for normal x > 0, NaN for NaN.
template <class V>
HWY_INLINE V log(V x) {
  return with_nan_of(x, hn::Log(hn::DFromV<V>(), x));
}

/// How rows of K numbers lie in whole vectors.
template <class T>
struct RowWidth {
  explicit RowWidth(std::size_t tags)
      : count(tags),
        vectors((tags + hn::Lanes(Tag<T>()) - 1) / hn::Lanes(Tag<T>())),
        width(vectors * hn::Lanes(Tag<T>())) {}

  std::size_t count;
  std::size_t vectors;
  std::size_t width;

  /// Calls `body(first)` for each vector.
  template <class Body>
  HWY_INLINE void for_vectors(Body body) const {
    for (std::size_t first = 0; first < width; first += hn::Lanes(Tag<T>())) body(first);
  }

  /// A vector of K numbers that lie end to end with others; `beyond` in the lanes beyond.
  HWY_INLINE Vector<T> load(const T* row, std::size_t first, T beyond) const {
    const Tag<T> d;
    if (first + hn::Lanes(d) <= count) return hn::LoadU(d, row + first);
    const std::size_t left = count - first;
    return hn::IfThenElse(hn::FirstN(d, left), First{left}.load(row + first), hn::Set(d, beyond));
  }
  HWY_INLINE void store(Vector<T> value, T* row, std::size_t first) const {
    if (first + hn::Lanes(Tag<T>()) <= count) return hn::StoreU(value, Tag<T>(), row + first);
    First{count - first}.store(value, row + first);
  }

  /// The largest of what `value(first)` gives, in every lane; of -infinity alone, the lowest number: from it on,
  /// -infinity still is that far.
  template <class Value>
  HWY_INLINE Vector<T> largest(Value value) const {
    const Tag<T> d;
    auto result = hn::Set(d, std::numeric_limits<T>::lowest());
    for_vectors([&](std::size_t first) { result = hn::Max(result, value(first)); });
    return hn::MaxOfLanes(d, result);
  }
};

/// The exponentials of `value(first)` from the largest on; `store` gets each vector of them.
template <class T>
struct Exponentials {
  Vector<T> largest;
  Vector<T> sum;  ///< In every lane.
};
template <class T, class Value, class Store>
HWY_INLINE Exponentials<T> exponentials(const RowWidth<T>& rows, Value value, Store store) {
  const Tag<T> d;
  const auto largest = rows.largest(value);
  auto sum = hn::Zero(d);
  rows.for_vectors([&](std::size_t first) {
    const auto e = exp_or_zero(hn::Sub(value(first), largest));
    store(e, first);
    sum = hn::Add(sum, e);
  });
  return {largest, hn::SumOfLanes(d, sum)};
}

template <class T>
HWY_INLINE double number(Vector<T> all_lanes) {
  return static_cast<double>(hn::GetLane(all_lanes));
}

/// Of sums, the largest.
struct MaxPlus {
  template <class V>
  static HWY_INLINE V apply(V x, V w, V largest) {
    return hn::Max(largest, hn::Add(x, w));
  }
};

template <class T>
using PanelTile = void (*)(const T* const*, const PackedMatrix<T>&, std::size_t, T* const*, const T* const*);

template <class Op, class T, std::size_t R, std::size_t V>
HWY_NOINLINE void panel_tile(const T* const* a, const PackedMatrix<T>& b, std::size_t p, T* const* c,
                             const T* const* start) {
  tile<Op, R, 1, V>(RowsOfA<T>{a, 0}, b.depth, b.panel(p), 0, c, p * panel_width<T>(), start);
}

/// By their number of rows.
template <class Op, class T, std::size_t V>
constexpr PanelTile<T> panel_tiles[tile_rows] = {panel_tile<Op, T, 1, V>, panel_tile<Op, T, 2, V>,
                                                 panel_tile<Op, T, 3, V>, panel_tile<Op, T, 4, V>,
                                                 panel_tile<Op, T, 5, V>, panel_tile<Op, T, 6, V>};

template <class Op, class T>
PanelTile<T> panel_tile_of(std::size_t rows, std::size_t vectors) {
  if constexpr (panel_vectors > 2) {
    if (vectors == 4) return panel_tiles<Op, T, 4>[rows - 1];
    if (vectors == 3) return panel_tiles<Op, T, 3>[rows - 1];
  }
  return vectors == 2 ? panel_tiles<Op, T, 2>[rows - 1] : panel_tiles<Op, T, 1>[rows - 1];
}

/// C = A * B + S, for whole vectors of C. Few tags are but a part of a panel, which `multiply` would copy rows for.
template <class Op, class T>
void multiply_rows(const T* const* a, std::size_t rows, const PackedMatrix<T>& b, T* const* c, const T* const* start) {
  const std::size_t vectors = b.columns / hn::Lanes(Tag<T>());
  for (std::size_t p = 0; p < b.panels(); ++p) {
    const std::size_t in_panel = std::min(vectors - p * panel_vectors, panel_vectors);
    for (std::size_t row = 0; row < rows; row += tile_rows) {
      const std::size_t height = std::min(rows - row, tile_rows);
      panel_tile_of<Op, T>(height, in_panel)(a + row, b, p, c + row, start + row);
    }
  }
}

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
