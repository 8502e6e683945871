// The gradients of a CRF's parameters, from some documents. Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_CRF_GRADIENTS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_CRF_GRADIENTS_INL
#undef PACKSEQ_KERNELS_CRF_GRADIENTS_INL
#else
#define PACKSEQ_KERNELS_CRF_GRADIENTS_INL
#endif

#include <algorithm>
#include <cstddef>

#include "kernels/crf_rows-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// C += A^T * B for R rows, C as high as there are tags.
template <std::size_t R, class T>
HWY_NOINLINE void add_outer(const T* const* a, const T* const* b, const RowWidth<T>& width, T* c) {
  const Tag<T> d;
  width.for_vectors([&](std::size_t k) {
    Vector<T> row[R];
    HWY_UNROLL(8)
    for (std::size_t r = 0; r < R; ++r) row[r] = hn::LoadU(d, b[r] + k);
    for (std::size_t i = 0; i < width.count; ++i) {
      T* const to = c + i * width.width + k;
      auto sum = hn::LoadU(d, to);
      HWY_UNROLL(8)
      for (std::size_t r = 0; r < R; ++r) sum = hn::MulAdd(hn::Set(d, a[r][i]), row[r], sum);
      hn::StoreU(sum, d, to);
    }
  });
}

/// By their number of rows.
template <class T>
constexpr void (*add_outers[tile_rows])(const T* const*, const T* const*, const RowWidth<T>&, T*) = {
    add_outer<1, T>, add_outer<2, T>, add_outer<3, T>, add_outer<4, T>, add_outer<5, T>, add_outer<6, T>};

template <class T>
class CrfGradients {
 public:
  CrfGradients(Arena& arena, const RowWidth<T>& rows)
      : rows_(rows),
        size_((2 * rows.count + 2) * rows.width),
        start_(arena.take<T>(size_)),
        end_(start_ + rows.width),
        transitions_(end_ + rows.width),
        products_(transitions_ + rows.count * rows.width) {}

  void clear() const { std::fill_n(start_, size_, T{0}); }

  T* start() const { return start_; }
  T* end() const { return end_; }
  T& transition(std::size_t from, std::size_t to) const { return transitions_[from * rows_.width + to]; }

  /// Adds what a token gives to one of the first two: its label's indicator less the probabilities, times a gradient.
  void add(T* to, const T* probabilities, T gradient, std::size_t label) const {
    const Tag<T> d;
    rows_.for_vectors([&](std::size_t k) {
      const auto sum = hn::NegMulAdd(hn::Set(d, gradient), hn::LoadU(d, probabilities + k), hn::LoadU(d, to + k));
      hn::StoreU(sum, d, to + k);
    });
    if (label < rows_.count) to[label] += gradient;
  }

  /// Subtracts probabilities of transitions to a tag, from a vector of tags.
  void subtract(std::size_t first, std::size_t to, Vector<T> probabilities, T gradient) const {
    HWY_ALIGN T lanes[hn::MaxLanes(Tag<T>())];
    hn::Store(probabilities, Tag<T>(), lanes);
    for (std::size_t i = first; i < std::min(first + hn::Lanes(Tag<T>()), rows_.count); ++i) {
      transition(i, to) -= gradient * lanes[i - first];
    }
  }

  /// Subtracts A^T * B, times the transitions' exponentials.
  void subtract_products(const T* const* a, const T* const* b, std::size_t rows) const {
    for (std::size_t row = 0; row < rows; row += tile_rows) {
      add_outers<T>[std::min(rows - row, tile_rows) - 1](a + row, b + row, rows_, products_);
    }
  }

  /// Adds those of others.
  void add(const CrfGradients& others) const {
    const Tag<T> d;
    for (std::size_t i = 0; i < size_; i += hn::Lanes(d)) {
      hn::StoreU(hn::Add(hn::LoadU(d, start_ + i), hn::LoadU(d, others.start_ + i)), d, start_ + i);
    }
  }

  void write(const T* exponentials, T* start, T* end, T* transitions) const {
    std::copy_n(start_, rows_.count, start);
    std::copy_n(end_, rows_.count, end);
    for (std::size_t i = 0; i < rows_.count; ++i) {
      for (std::size_t j = 0; j < rows_.count; ++j) {
        const std::size_t at = i * rows_.width + j;
        transitions[i * rows_.count + j] = transitions_[at] - exponentials[at] * products_[at];
      }
    }
  }

 private:
  RowWidth<T> rows_;
  std::size_t size_;
  T* start_;
  T* end_;
  T* transitions_;
  T* products_;
};

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
