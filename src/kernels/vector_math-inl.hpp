// Sigmoid and tanh of vectors, and loads that end where a row ends. Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_VECTOR_MATH_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_VECTOR_MATH_INL
#undef PACKSEQ_KERNELS_VECTOR_MATH_INL
#else
#define PACKSEQ_KERNELS_VECTOR_MATH_INL
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"
#include "kernels/bfloat16-inl.hpp"
#include "kernels/plan.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
using Tag = hn::ScalableTag<Computed<T>>;
template <class T>
using Vector = hn::Vec<Tag<T>>;

/// The polynomial c[0] + c[1] x + ..., by Horner's rule.
template <class V, std::size_t N>
HWY_INLINE V polynomial(V x, const float (&c)[N]) {
  const Tag<float> d;
  V sum = hn::Set(d, c[N - 1]);
  for (std::size_t i = N - 1; i-- > 0;) sum = hn::MulAdd(sum, x, hn::Set(d, c[i]));
  return sum;
}

/// e^x for x in -87.3 ... 89, within 1.2e-7 of it relatively; from 88.4 on infinity.
///
/// x = n ln 2 + r; e^r by the polynomial of degree 5 whose largest relative error in |r| <= ln 2 / 2 is smallest
/// (7.5e-8, by Remez's algorithm), 2^n by its bits. ln 2 is split so that n times its first part is exact.
HWY_INLINE Vector<float> exp_within(Vector<float> x) {
  const Tag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  constexpr float coefficients[] = {1.00000007165F,  0.999999691992F,  0.499988948509F,
                                    0.166675747237F, 0.0419153820303F, 0.00829765548835F};
  const auto n = hn::NearestInt(hn::Mul(x, hn::Set(d, 1.44269504F)));
  const auto whole = hn::ConvertTo(d, n);
  auto r = hn::NegMulAdd(whole, hn::Set(d, 0.693359375F), x);
  r = hn::NegMulAdd(whole, hn::Set(d, -2.12194440e-4F), r);
  const auto power = hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(n, hn::Set(di, 127))));
  return hn::Mul(polynomial(r, coefficients), power);
}

/// `y`, and NaN where `x` is NaN: comparisons, hence Min and Max, lose it.
template <class V>
HWY_INLINE V with_nan_of(V x, V y) {
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

/// `x` between bounds, NaN where it is NaN.
template <class V>
HWY_INLINE V clamped(V x, float low, float high) {
  const hn::DFromV<V> d;
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_SSE4
  // Where either operand is NaN, x86's Min and Max return the second.
  return hn::Min(hn::Set(d, high), hn::Max(hn::Set(d, low), x));
#else
  return with_nan_of(x, hn::Min(hn::Max(x, hn::Set(d, low)), hn::Set(d, high)));
#endif
}

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
/// e^-x = 2^n 2^r, where n + r = -x / ln 2: AVX-512 has instructions for n, r and 2^n, which carry infinities and NaN
/// through. 2^r is the polynomial of `exp_within`, with the powers of ln 2 in its coefficients.
HWY_INLINE Vector<float> exp_of_negative(Vector<float> x) {
  constexpr float coefficients[] = {1.00000007165F,   0.693146967065F,   0.240221197237F,
                                    0.0555071327186F, 0.00967554134311F, 0.0013276472632F};
  constexpr int nearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  const auto power = hn::Mul(x, hn::Set(Tag<float>(), -1.44269504F));
  const Vector<float> n{_mm512_roundscale_ps(power.raw, nearest)};
  const Vector<float> r{_mm512_reduce_ps(power.raw, nearest)};
  return Vector<float>{_mm512_scalef_ps(polynomial(r, coefficients).raw, n.raw)};
}
#else
HWY_INLINE Vector<float> exp_of_negative(Vector<float> x) { return exp_within(hn::Neg(clamped(x, -89.0F, 87.0F))); }
#endif

/// 1 / (1 + e^-x); far below 0 that is 0, with which a gate closes even on infinity.
HWY_INLINE Vector<float> sigmoid(Vector<float> x) {
  const auto one = hn::Set(Tag<float>(), 1.0F);
  return hn::Div(one, hn::Add(one, exp_of_negative(x)));
}

HWY_INLINE Vector<double> sigmoid(Vector<double> x) {
  const Tag<double> d;
  const auto one = hn::Set(d, 1.0);
  const auto within = hn::Max(x, hn::Set(d, -750.0));  // Exp(750) is infinity, Exp(2000) is anything
  return with_nan_of(x, hn::Div(one, hn::Add(one, hn::Exp(d, hn::Neg(within)))));
}

/// tanh(x): x P(x^2) / Q(x^2), the fraction of degrees 4 and 4 whose largest relative error in |x| <= 9.02 is smallest
/// (2.1e-8, by iteratively weighted least squares); from there on tanh is 1 in float.
HWY_INLINE Vector<float> tanh(Vector<float> x) {
  constexpr float p[] = {0.9999999790320081F, 0.1337971712215996F, 0.0034940335947875574F, 2.0583466136713036e-05F,
                         1.3319052680516916e-08F};
  constexpr float q[] = {1.0F, 0.467130323665011F, 0.025871069500321812F, 0.00032830912905470723F,
                         7.762011192604115e-07F};
  const auto within = clamped(x, -9.02F, 9.02F);
  const auto square = hn::Mul(within, within);
  return hn::Div(hn::Mul(within, polynomial(square, p)), polynomial(square, q));
}

HWY_INLINE Vector<double> tanh(Vector<double> x) { return hn::Tanh(Tag<double>(), x); }

/// max(x, 0), NaN for NaN.
template <class V>
HWY_INLINE V relu(V x) {
  return with_nan_of(x, hn::Max(x, hn::Zero(hn::DFromV<V>())));
}

/// Reads and writes whole vectors, those of a tensor's numbers as they are computed with.
struct Whole {
  template <class T>
  HWY_INLINE Vector<T> load(const T* from) const {
    return hn::LoadU(Tag<T>(), from);
  }
  template <class T>
  HWY_INLINE void store(Vector<T> value, T* to) const {
    hn::StoreU(value, Tag<T>(), to);
  }
  HWY_INLINE Vector<float> load(const BFloat16* from) const { return load_narrow(from); }
  HWY_INLINE void store(Vector<float> value, BFloat16* to) const { store_narrow(value, to); }
};

/// Reads and writes the first `count` lanes; the others are 0.
struct First {
  std::size_t count;
  template <class T>
  HWY_INLINE Vector<T> load(const T* from) const {
#if HWY_MEM_OPS_MIGHT_FAULT && HWY_TARGET != HWY_AVX2  // which masks elements of four bytes and more
    HWY_ALIGN T lanes[hn::MaxLanes(Tag<T>())] = {};
    std::copy_n(from, count, lanes);
    return hn::Load(Tag<T>(), lanes);
#else
    return hn::MaskedLoad(hn::FirstN(Tag<T>(), count), Tag<T>(), from);
#endif
  }
  template <class T>
  HWY_INLINE void store(Vector<T> value, T* to) const {
#if HWY_MEM_OPS_MIGHT_FAULT && HWY_TARGET != HWY_AVX2
    HWY_ALIGN T lanes[hn::MaxLanes(Tag<T>())];
    hn::Store(value, Tag<T>(), lanes);
    std::copy_n(lanes, count, to);
#else
    hn::BlendedStore(value, hn::FirstN(Tag<T>(), count), Tag<T>(), to);
#endif
  }
  HWY_INLINE Vector<float> load(const BFloat16* from) const {
    BFloat16 lanes[hn::MaxLanes(Tag<float>())] = {};
    std::copy_n(from, count, lanes);
    return load_narrow(lanes);
  }
  HWY_INLINE void store(Vector<float> value, BFloat16* to) const {
    BFloat16 lanes[hn::MaxLanes(Tag<float>())];
    store_narrow(value, lanes);
    std::copy_n(lanes, count, to);
  }
};

/// Calls `body(access, unit)` for some units, a vector of them at a time.
template <class T, class Body>
HWY_INLINE void for_units(const Range& units, Body body) {
  const std::size_t lanes = hn::Lanes(Tag<T>());
  std::size_t unit = units.begin;
  for (; unit + lanes <= units.end; unit += lanes) body(Whole(), unit);
  if (unit < units.end) body(First{units.end - unit}, unit);
}

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
