#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

namespace packseq::kernels {

/// A number of bfloat16, as tensors hold it: the upper half of the bits of a float.
struct BFloat16 {
  std::uint16_t bits;
};

/// What passes over tensors of these numbers compute in, and keep in memory of their own.
template <class T>
using Computed = std::conditional_t<std::is_same_v<T, BFloat16>, float, T>;

/// Whether that is more than tensors hold.
template <class T>
constexpr bool is_narrow = !std::is_same_v<T, Computed<T>>;

/// The same number as it is computed with.
template <class T>
Computed<T> computed(T number) {
  if constexpr (is_narrow<T>) {
    return std::bit_cast<float>(std::uint32_t{number.bits} << 16);
  } else {
    return number;
  }
}

}  // namespace packseq::kernels
