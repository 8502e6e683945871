// Numbers rounded to bfloat16, as factors of products. Compiled once for each CPU target.
//
// To the nearest, ties to even; denormals become 0, as in the instructions that multiply them; NaN stays NaN, and what
// is too large becomes infinity.

#if defined(PACKSEQ_KERNELS_BFLOAT16_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_BFLOAT16_INL
#undef PACKSEQ_KERNELS_BFLOAT16_INL
#else
#define PACKSEQ_KERNELS_BFLOAT16_INL
#endif

#include <bit>
#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "kernels/precision.hpp"

#undef PACKSEQ_HAS_PAIRS
#if HWY_ARCH_X86_64 && HWY_TARGET <= HWY_AVX3  // better targets have lower numbers
#define PACKSEQ_HAS_PAIRS 1
#else
#define PACKSEQ_HAS_PAIRS 0
#endif

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
Format format_of(Precision precision) {
  if (precision == Precision::float32 || sizeof(T) != sizeof(float)) return Format::plain;
  return PACKSEQ_HAS_PAIRS && has_bfloat16_instructions() ? Format::pairs : Format::rounded;
}

/// The bits of the rounded numbers, in the upper halves.
template <class V, class D = hn::DFromV<V>>
HWY_INLINE hn::Vec<hn::RebindToUnsigned<D>> round_bits(V x) {
  const hn::RebindToUnsigned<D> du;
  const auto bits = hn::BitCast(du, x);
  const auto upper = hn::Set(du, 0xFFFF0000U);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1U));
  const auto nearest = hn::Add(hn::Add(bits, hn::Set(du, 0x7FFFU)), odd);
  const auto of_nan = hn::Or(bits, hn::Set(du, 0x00400000U));
  const auto rounded = hn::IfThenElse(hn::RebindMask(du, hn::IsNaN(x)), of_nan, nearest);
  const auto is_denormal = hn::Eq(hn::And(bits, hn::Set(du, 0x7F800000U)), hn::Zero(du));
  return hn::And(hn::IfThenElse(is_denormal, hn::And(bits, hn::Set(du, 0x80000000U)), rounded), upper);
}

/// The same of one number.
inline std::uint32_t round_bits(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  if ((bits & 0x7F800000U) == 0) return bits & 0x80000000U;
  if (x != x) return (bits | 0x00400000U) & 0xFFFF0000U;
  return (bits + 0x7FFFU + (bits >> 16 & 1U)) & 0xFFFF0000U;
}

inline float pair_of(float first, float second) {
  return std::bit_cast<float>(round_bits(first) >> 16 | round_bits(second));
}

/// Rounds some numbers; `to` may be `from`.
inline void round_to(const float* from, std::size_t count, float* to) {
  const hn::ScalableTag<float> d;
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) {
    hn::StoreU(hn::BitCast(d, round_bits(hn::LoadU(d, from + i))), d, to + i);
  }
  for (; i < count; ++i) to[i] = std::bit_cast<float>(round_bits(from[i]));
}

/// Pairs of one number of each line: a word for each place.
inline void pair_lines(const float* first, const float* second, std::size_t count, float* to) {
  const hn::ScalableTag<float> d;
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) {
    const auto lower = hn::ShiftRight<16>(round_bits(hn::LoadU(d, first + i)));
    hn::StoreU(hn::BitCast(d, hn::Or(lower, round_bits(hn::LoadU(d, second + i)))), d, to + i);
  }
  for (; i < count; ++i) to[i] = pair_of(first[i], second[i]);
}

/// Pairs of neighbours in a line of `count`; after the last of an odd number comes a 0.
inline void pair_neighbours(const float* from, std::size_t count, float* to) {
  std::size_t i = 0;
#if PACKSEQ_HAS_PAIRS
  const hn::ScalableTag<float> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  for (; i + 2 * hn::Lanes(d) <= count; i += 2 * hn::Lanes(d)) {
    const auto low = round_bits(hn::LoadU(d, from + i));
    const auto high = round_bits(hn::LoadU(d, from + i + hn::Lanes(d)));
    const auto words = hn::Or(hn::ShiftRight<16>(hn::ConcatEven(du, high, low)), hn::ConcatOdd(du, high, low));
    hn::StoreU(hn::BitCast(d, words), d, to + i / 2);
  }
#endif
  for (; i < count; i += 2) to[i / 2] = pair_of(from[i], i + 1 < count ? from[i + 1] : 0.0F);
}

/// sum + x * w, in the numbers' own precision.
struct MultiplyAdd {
  template <class V>
  static HWY_INLINE V apply(V x, V w, V sum) {
    return hn::MulAdd(x, w, sum);
  }
};

/// The same of both members of pairs. The instruction is written as such, since whatever is compiled for this target is
/// not compiled for that extension of it.
struct MultiplyAddPairs {
  template <class V>
  static HWY_INLINE V apply(V x, V w, V sum) {
#if PACKSEQ_HAS_PAIRS
    asm("vdpbf16ps {%2, %1, %0|%0, %1, %2}" : "+v"(sum.raw) : "v"(x.raw), "v"(w.raw));
#else
    (void)x, (void)w;
#endif
    return sum;
  }
};

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
