#pragma once

#include <c10/core/ScalarType.h>

#include <array>
#include <cstdint>
#include <string_view>

namespace packseq::nn::detail {

struct SafetensorsDtype {
  std::string_view name;
  c10::ScalarType dtype;
};

/// The dtypes that the format and LibTorch have, in the order in which the format's writer sorts them, from the last to
/// the first: those of most bytes first.
constexpr std::array<SafetensorsDtype, 20> safetensors_dtypes = {{
    {"U64", c10::ScalarType::UInt64},
    {"I64", c10::ScalarType::Long},
    {"F64", c10::ScalarType::Double},
    {"C64", c10::ScalarType::ComplexFloat},
    {"F32", c10::ScalarType::Float},
    {"U32", c10::ScalarType::UInt32},
    {"I32", c10::ScalarType::Int},
    {"BF16", c10::ScalarType::BFloat16},
    {"F16", c10::ScalarType::Half},
    {"U16", c10::ScalarType::UInt16},
    {"I16", c10::ScalarType::Short},
    {"F8_E5M2FNUZ", c10::ScalarType::Float8_e5m2fnuz},
    {"F8_E4M3FNUZ", c10::ScalarType::Float8_e4m3fnuz},
    {"F8_E8M0", c10::ScalarType::Float8_e8m0fnu},
    {"F8_E4M3", c10::ScalarType::Float8_e4m3fn},
    {"F8_E5M2", c10::ScalarType::Float8_e5m2},
    {"I8", c10::ScalarType::Char},
    {"U8", c10::ScalarType::Byte},
    {"F4", c10::ScalarType::Float4_e2m1fn_x2},
    {"BOOL", c10::ScalarType::Bool},
}};

/// Numbers of this dtype that the format counts where LibTorch counts one: two halves of a byte.
constexpr std::int64_t numbers_in_one(c10::ScalarType dtype) {
  return dtype == c10::ScalarType::Float4_e2m1fn_x2 ? 2 : 1;
}

}  // namespace packseq::nn::detail
