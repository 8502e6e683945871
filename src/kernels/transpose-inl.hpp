// Matrices transposed. Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_TRANSPOSE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_TRANSPOSE_INL
#undef PACKSEQ_KERNELS_TRANSPOSE_INL
#else
#define PACKSEQ_KERNELS_TRANSPOSE_INL
#endif

#include <cstddef>

#include "hwy/highway.h"
#include "kernels/numbers.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR
template <class D, class Load>
HWY_INLINE void load_transposed(D /*d*/, const Load& load, hn::Vec<D>* to) {
  to[0] = load(0);
}
#else
/// Within each block of 128 bits, four lines times four elements change places; of double, two times two.
template <class D>
HWY_INLINE void transpose_in_blocks(D d, const hn::Vec<D>* lines, hn::Vec<D>* to) {
  if constexpr (sizeof(hn::TFromD<D>) == 4) {
    const hn::RepartitionToWide<D> wide;
    const auto low_01 = hn::BitCast(wide, hn::InterleaveLower(d, lines[0], lines[1]));
    const auto high_01 = hn::BitCast(wide, hn::InterleaveUpper(d, lines[0], lines[1]));
    const auto low_23 = hn::BitCast(wide, hn::InterleaveLower(d, lines[2], lines[3]));
    const auto high_23 = hn::BitCast(wide, hn::InterleaveUpper(d, lines[2], lines[3]));
    to[0] = hn::BitCast(d, hn::InterleaveLower(wide, low_01, low_23));
    to[1] = hn::BitCast(d, hn::InterleaveUpper(wide, low_01, low_23));
    to[2] = hn::BitCast(d, hn::InterleaveLower(wide, high_01, high_23));
    to[3] = hn::BitCast(d, hn::InterleaveUpper(wide, high_01, high_23));
  } else {
    to[0] = hn::InterleaveLower(d, lines[0], lines[1]);
    to[1] = hn::InterleaveUpper(d, lines[0], lines[1]);
  }
}

/// Block b of `to[n * step]` is block n of `v[b * step]`.
template <std::size_t step, class D>
HWY_INLINE void transpose_blocks(D d, const hn::Vec<D>* v, hn::Vec<D>* to) {
  constexpr std::size_t blocks = hn::MaxLanes(D()) * sizeof(hn::TFromD<D>) / 16;
  static_assert(blocks == 1 || blocks == 2 || blocks == 4);
  if constexpr (blocks == 1) {
    to[0] = v[0];
  } else if constexpr (blocks == 2) {
    to[0] = hn::ConcatLowerLower(d, v[step], v[0]);
    to[step] = hn::ConcatUpperUpper(d, v[step], v[0]);
  } else {
    const auto even_01 = hn::OddEvenBlocks(hn::SwapAdjacentBlocks(v[step]), v[0]);
    const auto odd_01 = hn::OddEvenBlocks(v[step], hn::SwapAdjacentBlocks(v[0]));
    const auto even_23 = hn::OddEvenBlocks(hn::SwapAdjacentBlocks(v[3 * step]), v[2 * step]);
    const auto odd_23 = hn::OddEvenBlocks(v[3 * step], hn::SwapAdjacentBlocks(v[2 * step]));
    to[0] = hn::ConcatLowerLower(d, even_23, even_01);
    to[step] = hn::ConcatLowerLower(d, odd_23, odd_01);
    to[2 * step] = hn::ConcatUpperUpper(d, even_23, even_01);
    to[3 * step] = hn::ConcatUpperUpper(d, odd_23, odd_01);
  }
}

/// A square block of a matrix, transposed: vector j of the result holds element j of each of as many lines, of which
/// `load(n)` is a vector. Of each line a whole vector is read at once: lines that lie a power of two apart compete for
/// the same places in the cache, and would be gone before they are read again.
template <class D, class Load>
HWY_INLINE void load_transposed(D d, const Load& load, hn::Vec<D>* to) {
  constexpr std::size_t lanes = hn::MaxLanes(D());
  constexpr std::size_t block = 16 / sizeof(hn::TFromD<D>);
  hn::Vec<D> lines[lanes];
  HWY_UNROLL(16)
  for (std::size_t n = 0; n < lanes; ++n) lines[n] = load(n);
  hn::Vec<D> turned[lanes];
  HWY_UNROLL(4)
  for (std::size_t n = 0; n < lanes; n += block) transpose_in_blocks(d, lines + n, turned + n);
  HWY_UNROLL(4)
  for (std::size_t n = 0; n < block; ++n) transpose_blocks<block>(d, turned + n, to + n);
}
#endif

/// The elements of a line as they are: so many numbers in each place, of which there are vectors and single ones.
template <class T>
struct Elements {
  static constexpr std::size_t numbers = 1;
  static HWY_INLINE hn::Vec<hn::ScalableTag<T>> load(const T* from) { return hn::LoadU(hn::ScalableTag<T>(), from); }
  static T one(const T* from, std::size_t /*left*/) { return *from; }
};

/// Some lines of `depth` numbers, as many as a vector has lanes and `stride` apart, become vectors `to_stride` apart.
template <class Places, class T>
void transpose(const T* from, std::size_t stride, std::size_t depth, Computed<T>* to, std::size_t to_stride) {
  const hn::ScalableTag<Computed<T>> d;
  constexpr std::size_t step = hn::MaxLanes(hn::ScalableTag<Computed<T>>());
  std::size_t k = 0;
  for (; k + step * Places::numbers <= depth; k += step * Places::numbers) {
    hn::Vec<decltype(d)> vectors[step];
    load_transposed(
        d, [&](std::size_t n) { return Places::load(from + n * stride + k); }, vectors);
    HWY_UNROLL(16)
    for (std::size_t j = 0; j < step; ++j, to += to_stride) hn::StoreU(vectors[j], d, to);
  }
  for (; k < depth; k += Places::numbers, to += to_stride) {
    for (std::size_t n = 0; n < hn::Lanes(d); ++n) to[n] = Places::one(from + n * stride + k, depth - k);
  }
}

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
