// Tensors' numbers of bfloat16, which are computed with as float. Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_NARROW_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_NARROW_INL
#undef PACKSEQ_KERNELS_NARROW_INL
#else
#define PACKSEQ_KERNELS_NARROW_INL
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "kernels/arena.hpp"
#include "kernels/numbers.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// The bits of the nearest numbers, in the upper halves; below them is anything. Denormals stay what they are.
template <class V, class D = hn::DFromV<V>>
HWY_INLINE hn::Vec<hn::RebindToUnsigned<D>> nearest_bits(V x) {
  const hn::RebindToUnsigned<D> du;
  const auto bits = hn::BitCast(du, x);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1U));
  const auto nearest = hn::Add(hn::Add(bits, hn::Set(du, 0x7FFFU)), odd);
  const auto of_nan = hn::Or(bits, hn::Set(du, 0x00400000U));
  return hn::IfThenElse(hn::RebindMask(du, hn::IsNaN(x)), of_nan, nearest);
}

/// A vector of a tensor's numbers, as float.
HWY_INLINE hn::Vec<hn::ScalableTag<float>> load_narrow(const BFloat16* from) {
  const hn::ScalableTag<float> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  const auto bits = hn::LoadU(hn::Rebind<std::uint16_t, decltype(d)>(), &from->bits);
  return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(du, bits)));
}

/// The same back, rounded to the nearest.
HWY_INLINE void store_narrow(hn::Vec<hn::ScalableTag<float>> numbers, BFloat16* to) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const hn::Rebind<std::uint16_t, decltype(d)> narrow;
  const auto bits = hn::BitCast(di, hn::ShiftRight<16>(nearest_bits(numbers)));
  hn::StoreU(hn::DemoteTo(narrow, bits), narrow, &to->bits);
}

/// A line of numbers rounded into a tensor.
inline void narrow_line(const float* from, std::size_t count, BFloat16* to) {
  const std::size_t lanes = hn::Lanes(hn::ScalableTag<float>());
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) store_narrow(hn::LoadU(hn::ScalableTag<float>(), from + i), to + i);
  for (; i < count; ++i) {
    const auto bits = nearest_bits(hn::Set(hn::CappedTag<float, 1>(), from[i]));
    to[i] = {static_cast<std::uint16_t>(hn::GetLane(bits) >> 16)};
  }
}

/// The same, added to what is there.
inline void add_narrow(const float* from, std::size_t count, BFloat16* to) {
  const hn::ScalableTag<float> d;
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) {
    store_narrow(hn::Add(load_narrow(to + i), hn::LoadU(d, from + i)), to + i);
  }
  for (; i < count; ++i) {
    const float sum = computed(to[i]) + from[i];
    narrow_line(&sum, 1, to + i);
  }
}

/// A line of a tensor's numbers, as float.
inline void widen_line(const BFloat16* from, std::size_t count, float* to) {
  std::transform(from, from + count, to, [](BFloat16 number) { return computed(number); });
}

/// A tensor's numbers as they are computed with: themselves, or a copy of the pass's own.
template <class T>
const Computed<T>* widened(Arena& arena, const T* numbers, std::size_t count) {
  if constexpr (is_narrow<T>) {
    Computed<T>* const wide = arena.take<Computed<T>>(count);
    widen_line(numbers, count, wide);
    return wide;
  } else {
    return numbers;
  }
}

/// A line of them as a tensor holds them.
template <class T>
void to_tensor_line(const Computed<T>* from, std::size_t count, T* to) {
  if constexpr (is_narrow<T>) {
    narrow_line(from, count, to);
  } else {
    std::copy_n(from, count, to);
  }
}

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
