#pragma once

#include <ATen/Context.h>
#include <c10/core/ScalarType.h>
#include <gtest/gtest.h>

#include <functional>

#include "kernels/bfloat16.hpp"
#include "kernels/precision.hpp"

namespace packseq::test {

/// LibTorch's switch is so while this lives.
class SwitchGuard {
 public:
  explicit SwitchGuard(at::Float32Precision precision, at::Float32Op op = at::Float32Op::RNN,
                       at::Float32Backend backend = at::Float32Backend::MKLDNN)
      : op_(op), backend_(backend) {
    at::globalContext().setFloat32Precision(backend, op, precision);
  }
  ~SwitchGuard() { at::globalContext().setFloat32Precision(backend_, op_, at::Float32Precision::NONE); }
  SwitchGuard(const SwitchGuard&) = delete;
  SwitchGuard& operator=(const SwitchGuard&) = delete;

 private:
  at::Float32Op op_;
  at::Float32Backend backend_;
};

/// With the CPU's instructions for bfloat16, if it has them, and without.
inline void in_both_ways(const std::function<void()>& expect) {
  for (const bool off : {false, true}) {
    if (off && !kernels::has_bfloat16_instructions()) continue;
    SCOPED_TRACE(testing::Message() << "instructions switched off " << off);
    const InstructionsOff switched(off);
    expect();
  }
}

/// With exact products, and in both ways with those of bfloat16, which the switch asks for; double has the first alone,
/// bfloat16 the second.
inline void in_every_precision(c10::ScalarType dtype, const std::function<void()>& expect) {
  if (dtype == at::kBFloat16) return in_both_ways(expect);
  expect();
  if (dtype != at::kFloat) return;
  in_both_ways([&] {
    const SwitchGuard guard(at::Float32Precision::BF16);
    expect();
  });
}

}  // namespace packseq::test
