#pragma once

#include <cstddef>

// Whether ARM's instructions for bfloat16 are asked for, and compiled. Clang 14 does not know them by name, 22 does.
#if defined(__aarch64__) && defined(__linux__) && (!defined(__clang__) || __clang_major__ >= 22)
#define PACKSEQ_HAS_BFDOT 1
#else
#define PACKSEQ_HAS_BFDOT 0
#endif

namespace packseq::kernels {

/// What the factors of matrix products are rounded to; sums, and all other arithmetic, are in the numbers' own dtype.
/// Products of double are never rounded.
enum class Precision { float32, bfloat16 };

/// The form in which products read their factors.
enum class Format {
  plain,    ///< As they are.
  rounded,  ///< Rounded to bfloat16, each in the place of a float.
  pairs,    ///< Two of bfloat16 in the place of a float, neighbours in the sum; the first one in the lower half.
};

/// How many numbers' places a line of so many factors takes.
constexpr std::size_t places_of(Format format, std::size_t factors) noexcept {
  return format == Format::pairs ? (factors + 1) / 2 : factors;
}

/// Whether this CPU has instructions that multiply bfloat16, and they are not switched off.
bool has_bfloat16_instructions() noexcept;

/// For tests: from now on passes do without these instructions, or not any more.
void switch_off_bfloat16_instructions(bool off) noexcept;

}  // namespace packseq::kernels
