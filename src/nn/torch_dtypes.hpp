#pragma once

#include <c10/core/ScalarType.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace packseq::nn::detail {

/// Of a tensor in a file: LibTorch computes with no more.
constexpr std::size_t most_dimensions = 64;

/// A dtype that `torch.save` writes.
struct TorchDtype {
  c10::ScalarType dtype;
  std::string_view name;          ///< In the module torch: "float32".
  std::string_view storage = {};  ///< The class of its storages there; without one it is named behind mere bytes.
};

constexpr std::array<TorchDtype, 27> torch_dtypes = {{
    {c10::ScalarType::Double, "float64", "DoubleStorage"},
    {c10::ScalarType::Float, "float32", "FloatStorage"},
    {c10::ScalarType::Half, "float16", "HalfStorage"},
    {c10::ScalarType::BFloat16, "bfloat16", "BFloat16Storage"},
    {c10::ScalarType::Long, "int64", "LongStorage"},
    {c10::ScalarType::Int, "int32", "IntStorage"},
    {c10::ScalarType::Short, "int16", "ShortStorage"},
    {c10::ScalarType::Char, "int8", "CharStorage"},
    {c10::ScalarType::Byte, "uint8", "ByteStorage"},
    {c10::ScalarType::Bool, "bool", "BoolStorage"},
    {c10::ScalarType::ComplexFloat, "complex64", "ComplexFloatStorage"},
    {c10::ScalarType::ComplexDouble, "complex128", "ComplexDoubleStorage"},
    {c10::ScalarType::ComplexHalf, "complex32"},
    {c10::ScalarType::UInt16, "uint16"},
    {c10::ScalarType::UInt32, "uint32"},
    {c10::ScalarType::UInt64, "uint64"},
    {c10::ScalarType::Float8_e5m2, "float8_e5m2"},
    {c10::ScalarType::Float8_e4m3fn, "float8_e4m3fn"},
    {c10::ScalarType::Float8_e5m2fnuz, "float8_e5m2fnuz"},
    {c10::ScalarType::Float8_e4m3fnuz, "float8_e4m3fnuz"},
    {c10::ScalarType::Float8_e8m0fnu, "float8_e8m0fnu"},
    {c10::ScalarType::Float4_e2m1fn_x2, "float4_e2m1fn_x2"},
    {c10::ScalarType::Bits8, "bits8"},
    {c10::ScalarType::Bits16, "bits16"},
    {c10::ScalarType::Bits1x8, "bits1x8"},
    {c10::ScalarType::Bits2x4, "bits2x4"},
    {c10::ScalarType::Bits4x2, "bits4x2"},
}};

/// The first that `fits`, or null.
template <class Fits>
constexpr const TorchDtype* find_torch_dtype(const Fits& fits) {
  const auto* found = std::find_if(torch_dtypes.begin(), torch_dtypes.end(), fits);
  return found == torch_dtypes.end() ? nullptr : found;
}

/// What is known of this dtype, or null.
constexpr const TorchDtype* torch_dtype(c10::ScalarType dtype) {
  return find_torch_dtype([dtype](const TorchDtype& known) { return known.dtype == dtype; });
}

}  // namespace packseq::nn::detail
