#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>

#include "kernels/precision.hpp"
#include "kernels/targets.hpp"

namespace packseq::test {

/// As long as it lives, passes do without the instructions that multiply bfloat16.
class InstructionsOff {
 public:
  explicit InstructionsOff(bool off = true) { kernels::switch_off_bfloat16_instructions(off); }
  ~InstructionsOff() { kernels::switch_off_bfloat16_instructions(false); }
  InstructionsOff(const InstructionsOff&) = delete;
  InstructionsOff& operator=(const InstructionsOff&) = delete;
};

/// On each target, with the instructions and without.
inline void in_all_ways(const std::function<void()>& expect) {
  for (const std::int64_t target : targets()) {
    const TargetGuard guard(target);
    for (const bool off : {false, true}) {
      if (off && !kernels::has_bfloat16_instructions()) continue;
      SCOPED_TRACE(testing::Message() << "target " << target << ", instructions switched off " << off);
      const InstructionsOff switched(off);
      expect();
    }
  }
}

/// The nearest number of 8 significant bits, or of two as near the even one; none is smaller than 2^-126.
inline float nearest(float x) {
  if (!std::isfinite(x) || x == 0) return x;
  if (std::abs(x) < std::numeric_limits<float>::min()) return std::copysign(0.0F, x);
  int exponent = 0;
  const double mantissa = std::frexp(static_cast<double>(x), &exponent);
  const double rounded = std::ldexp(std::nearbyint(std::ldexp(mantissa, 8)), exponent - 8);
  return static_cast<float>(rounded);  // beyond the largest float: infinity
}

}  // namespace packseq::test
