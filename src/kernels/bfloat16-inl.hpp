// Numbers of bfloat16 as factors of products. Compiled once for each CPU target.
//
// They are rounded to the nearest, ties to even; denormals become 0, as in the instructions that multiply them; NaN
// stays NaN, and what is too large becomes infinity.

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
#include "kernels/narrow-inl.hpp"
#include "kernels/numbers.hpp"
#include "kernels/precision.hpp"

#undef PACKSEQ_HAS_PAIRS
// Better targets have lower numbers.
#if (HWY_ARCH_X86_64 && HWY_TARGET <= HWY_AVX3) || (PACKSEQ_HAS_BFDOT && HWY_TARGET < HWY_EMU128)
#define PACKSEQ_HAS_PAIRS 1
#else
#define PACKSEQ_HAS_PAIRS 0
#endif

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Whether factors of products can be of bfloat16.
template <class T>
constexpr bool can_be_rounded = sizeof(Computed<T>) == sizeof(float);

template <class T>
Format format_of(Precision precision) {
  if (!is_narrow<T> && (precision == Precision::float32 || !can_be_rounded<T>)) return Format::plain;
  return PACKSEQ_HAS_PAIRS && has_bfloat16_instructions() ? Format::pairs : Format::rounded;
}

/// The bits of rounded factors, in the upper halves.
template <class V, class D = hn::DFromV<V>>
HWY_INLINE hn::Vec<hn::RebindToUnsigned<D>> round_bits(V x) {
  const hn::RebindToUnsigned<D> du;
  const auto bits = hn::BitCast(du, x);
  const auto is_denormal = hn::Eq(hn::And(bits, hn::Set(du, 0x7F800000U)), hn::Zero(du));
  const auto rounded = hn::IfThenElse(is_denormal, hn::And(bits, hn::Set(du, 0x80000000U)), nearest_bits(x));
  return hn::And(rounded, hn::Set(du, 0xFFFF0000U));
}

/// The same of one number.
inline std::uint32_t round_bits(float x) { return hn::GetLane(round_bits(hn::Set(hn::CappedTag<float, 1>(), x))); }

/// A word of two rounded numbers.
inline float pair_of(float first, float second) {
  return std::bit_cast<float>(round_bits(first) >> 16 | round_bits(second));
}

/// The numbers of a line rounded, each in its place.
struct Rounded {
  static constexpr std::size_t numbers = 1;
  static HWY_INLINE hn::Vec<hn::ScalableTag<float>> load(const float* from) {
    const hn::ScalableTag<float> d;
    return hn::BitCast(d, round_bits(hn::LoadU(d, from)));
  }
  static HWY_INLINE hn::Vec<hn::ScalableTag<float>> load(const BFloat16* from) {
    const hn::ScalableTag<float> d;
    return hn::BitCast(d, round_bits(load_narrow(from)));
  }
  template <class T>
  static float one(const T* from, std::size_t /*left*/) {
    return std::bit_cast<float>(round_bits(computed(*from)));
  }
};

#if PACKSEQ_HAS_PAIRS
// Instructions of bfloat16 are written as such, since whatever is compiled for this target is not compiled for that
// extension of it.
using Floats = hn::Vec<hn::ScalableTag<float>>;

#if HWY_ARCH_X86_64
static_assert(hn::MaxLanes(hn::ScalableTag<float>()) == 16);

/// The numbers of two vectors, neighbours in a word; rounded as `round_bits` does.
HWY_INLINE Floats pairs_of(Floats first, Floats second) {
  Floats words;
  asm("vcvtne2ps2bf16 {%2, %1, %0|%0, %1, %2}" : "=v"(words.raw) : "v"(second.raw), "v"(first.raw));
  return words;
}

/// Each number of a vector and that of the other in its place.
HWY_INLINE Floats pairs_of_places(Floats first, Floats second) {
  HWY_ALIGN constexpr std::uint16_t in_turn[] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                                 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  const __m512i halves = _mm512_castps_si512(pairs_of(first, second).raw);
  return Floats{_mm512_castsi512_ps(_mm512_permutexvar_epi16(_mm512_load_si512(in_turn), halves))};
}
#else
// ARM's instructions that round keep denormals.
HWY_INLINE Floats pairs_of(Floats first, Floats second) {
  const hn::ScalableTag<float> d;
  const hn::ScalableTag<std::uint16_t> halves;
  return hn::BitCast(
      d, hn::ConcatOdd(halves, hn::BitCast(halves, round_bits(second)), hn::BitCast(halves, round_bits(first))));
}

HWY_INLINE Floats pairs_of_places(Floats first, Floats second) {
  const hn::ScalableTag<float> d;
  return hn::BitCast(d, hn::Or(hn::ShiftRight<16>(round_bits(first)), round_bits(second)));
}
#endif

/// The pairs of neighbours in a line; to the last of an odd number belongs a 0.
struct Pairs {
  static constexpr std::size_t numbers = 2;
  static HWY_INLINE Floats load(const float* from) {
    const hn::ScalableTag<float> d;
    return pairs_of(hn::LoadU(d, from), hn::LoadU(d, from + hn::Lanes(d)));
  }
  /// As they lie in memory.
  static HWY_INLINE hn::Vec<hn::ScalableTag<float>> load(const BFloat16* from) {
    return hn::BitCast(hn::ScalableTag<float>(), hn::LoadU(hn::ScalableTag<std::uint16_t>(), &from->bits));
  }
  template <class T>
  static float one(const T* from, std::size_t left) {
    return pair_of(computed(from[0]), left > 1 ? computed(from[1]) : 0.0F);
  }
};
#else
using Pairs = Rounded;  // no format of this target
#endif

/// A line of numbers, rounded or in pairs; `to` may be `from`.
template <class Places, class T>
void convert_line(const T* from, std::size_t count, float* to) {
  const hn::ScalableTag<float> d;
  const std::size_t step = Places::numbers * hn::Lanes(d);
  std::size_t i = 0;
  for (; i + step <= count; i += step) hn::StoreU(Places::load(from + i), d, to + i / Places::numbers);
  for (; i < count; i += Places::numbers) to[i / Places::numbers] = Places::one(from + i, count - i);
}

/// Pairs of one number of each line: a word for each place.
inline void pair_lines(const float* first, const float* second, std::size_t count, float* to) {
  std::size_t i = 0;
#if PACKSEQ_HAS_PAIRS
  const hn::ScalableTag<float> d;
  for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) {
    hn::StoreU(pairs_of_places(hn::LoadU(d, first + i), hn::LoadU(d, second + i)), d, to + i);
  }
#endif
  for (; i < count; ++i) to[i] = pair_of(first[i], second[i]);
}

/// The same of a tensor's numbers.
inline void pair_lines(const BFloat16* first, const BFloat16* second, std::size_t count, float* to) {
  const hn::ScalableTag<float> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) {
    const auto lower = hn::ShiftRight<16>(hn::BitCast(du, load_narrow(first + i)));
    hn::StoreU(hn::BitCast(d, hn::Or(lower, hn::BitCast(du, load_narrow(second + i)))), d, to + i);
  }
  for (; i < count; ++i) to[i] = pair_of(computed(first[i]), computed(second[i]));
}

/// sum + x * w, in the numbers' own precision.
struct MultiplyAdd {
  template <class V>
  static HWY_INLINE V apply(V x, V w, V sum) {
    return hn::MulAdd(x, w, sum);
  }
};

#if PACKSEQ_HAS_PAIRS
/// The same of both members of pairs.
struct MultiplyAddPairs {
  template <class V>
  static HWY_INLINE V apply(V x, V w, V sum) {
#if HWY_ARCH_X86_64
    asm("vdpbf16ps {%2, %1, %0|%0, %1, %2}" : "+v"(sum.raw) : "v"(x.raw), "v"(w.raw));
#else
    asm(".arch_extension bf16\n\tbfdot %0.4s, %1.8h, %2.8h" : "+w"(sum.raw) : "w"(x.raw), "w"(w.raw));
#endif
    return sum;
  }
};
#else
using MultiplyAddPairs = MultiplyAdd;
#endif

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
