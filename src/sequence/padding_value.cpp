#include <ATen/Dispatch_v2.h>
#include <c10/core/Scalar.h>
#include <c10/util/Exception.h>
#include <c10/util/TypeCast.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "sequence/check.hpp"

namespace packseq::detail {
namespace {

/// As short as it can be without becoming another number.
std::string text(double number) {
  std::array<char, 32> digits{};
  return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr};
}

std::string text(const c10::Scalar& value) {
  if (value.isUnsigned()) return std::to_string(value.toUInt64());
  if (!value.isComplex()) return value.isFloatingPoint() ? text(value.toDouble()) : std::to_string(value.toLong());
  const auto number = value.toComplexDouble();
  return "(" + text(number.real()) + "," + text(number.imag()) + ")";
}

/// What numbers a dtype holds, its own or, if it is complex, those of its parts.
template <class T>
struct Held {
  using Limits = std::numeric_limits<T>;

  static bool exactly(double number) {
    if constexpr (Limits::is_integer) {
      // The largest integer itself may be none that a double holds.
      return number == std::floor(number) && number >= static_cast<double>(Limits::lowest()) &&
             number < std::ldexp(1.0, Limits::digits);
    } else {
      return std::isnan(number) || rounded(number) == number;
    }
  }

  static bool exactly(std::int64_t number) {
    if constexpr (Limits::is_integer) {
      return number >= static_cast<std::int64_t>(Limits::lowest()) &&
             (Limits::digits >= 63 || number <= static_cast<std::int64_t>(Limits::max()));
    } else {
      const auto real = static_cast<double>(number);  // 2^63 for those near that, which is no int64
      return real < 0x1p63 && static_cast<std::int64_t>(real) == number && exactly(real);
    }
  }

  static bool exactly(std::uint64_t number) {
    if constexpr (Limits::is_integer) {
      return number <= static_cast<std::uint64_t>(Limits::max());
    } else {
      const auto real = static_cast<double>(number);  // 2^64 for those near that
      return real < 0x1p64 && static_cast<std::uint64_t>(real) == number && exactly(real);
    }
  }

  static double nearest(double number) {
    const auto largest = static_cast<double>(Limits::max());
    return rounded(std::clamp(number, -largest, largest));
  }

  /// LibTorch converts, since half and its like are made from other types on one processor than on another.
  static double rounded(double number) { return static_cast<double>(c10::convert<T>(number)); }
};

template <class T>
bool holds(const c10::Scalar& value, bool complex) {
  if (value.isComplex()) {
    const auto number = value.toComplexDouble();
    return Held<T>::exactly(number.real()) && (complex ? Held<T>::exactly(number.imag()) : number.imag() == 0);
  }
  if (value.isUnsigned()) return Held<T>::exactly(value.toUInt64());
  return value.isFloatingPoint() ? Held<T>::exactly(value.toDouble()) : Held<T>::exactly(value.toLong());
}

/// What a dtype holds instead: its range if it is an integer, else the nearest number.
template <class T>
std::string alternative(const c10::Scalar& value, bool complex) {
  if constexpr (std::numeric_limits<T>::is_integer) {
    return "an integer in " + std::to_string(std::numeric_limits<T>::lowest()) + " ... " +
           std::to_string(std::numeric_limits<T>::max()) + " is needed";
  } else {
    const auto number = value.toComplexDouble();
    const double real = Held<T>::nearest(number.real());
    return "the nearest value that it holds is " +
           (complex ? text(c10::Scalar(c10::complex<double>(real, Held<T>::nearest(number.imag())))) : text(real));
  }
}

}  // namespace

void check_padding_value(const char* function, const c10::Scalar& value, c10::ScalarType dtype) {
  AT_DISPATCH_V2(dtype, "padding_value", AT_WRAP([&] {
                   using Part = typename c10::scalar_value_type<scalar_t>::type;
                   const bool complex = c10::isComplexType(dtype);
                   TORCH_CHECK_VALUE(holds<Part>(value, complex), function, ": padding_value is ", text(value),
                                     ", which the dtype of the sequences, ", dtype, ", cannot hold exactly; ",
                                     alternative<Part>(value, complex));
                 }),
                 AT_EXPAND(AT_ALL_TYPES), AT_EXPAND(AT_COMPLEX_TYPES), AT_EXPAND(AT_BAREBONES_UNSIGNED_TYPES),
                 AT_EXPAND(AT_FLOAT8_TYPES), at::kComplexHalf, at::kHalf, at::kBFloat16, at::kBool);
}

}  // namespace packseq::detail
