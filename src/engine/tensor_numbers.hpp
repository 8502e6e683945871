#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/BFloat16.h>
#include <c10/util/Exception.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/numbers.hpp"

namespace packseq::engine {

inline std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

/// A tensor's numbers as the kernels know them.
template <class T>
const T* pointer(const at::Tensor& tensor) {
  if (!tensor.defined()) return nullptr;
  if constexpr (std::is_same_v<T, kernels::BFloat16>) {
    return reinterpret_cast<const T*>(tensor.const_data_ptr<at::BFloat16>());
  } else {
    return tensor.const_data_ptr<T>();
  }
}

template <class T>
T* mutable_pointer(const at::Tensor& tensor) {
  if (!tensor.defined()) return nullptr;
  if constexpr (std::is_same_v<T, kernels::BFloat16>) {
    return reinterpret_cast<T*>(tensor.mutable_data_ptr<at::BFloat16>());
  } else {
    return tensor.mutable_data_ptr<T>();
  }
}

/// Those of a direction, of a tensor that has one part for each.
template <class T>
const T* pointer(const at::Tensor& tensor, std::int64_t direction) {
  return tensor.defined() ? pointer<T>(tensor) + direction * tensor.stride(0) : nullptr;
}

template <class T>
T* mutable_pointer(const at::Tensor& tensor, std::int64_t direction) {
  return tensor.defined() ? mutable_pointer<T>(tensor) + direction * tensor.stride(0) : nullptr;
}

/// Calls `body(T())` with the type of number that the kernels know for a dtype of the engine's.
template <class Body>
auto with_number(c10::ScalarType dtype, const Body& body) {
  switch (dtype) {
    case at::kFloat:
      return body(float());
    case at::kDouble:
      return body(double());
    default:
      TORCH_INTERNAL_ASSERT(dtype == at::kBFloat16);
      return body(kernels::BFloat16());
  }
}

}  // namespace packseq::engine
