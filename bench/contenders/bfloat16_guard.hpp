#pragma once

#include <ATen/Context.h>

namespace packseq::bench {

/// LibTorch's switch asks recurrent networks for products of bfloat16 while this lives.
class Bfloat16Guard {
 public:
  Bfloat16Guard() { set(at::Float32Precision::BF16); }
  ~Bfloat16Guard() { set(at::Float32Precision::NONE); }
  Bfloat16Guard(const Bfloat16Guard&) = delete;
  Bfloat16Guard& operator=(const Bfloat16Guard&) = delete;

 private:
  static void set(at::Float32Precision precision) {
    at::globalContext().setFloat32Precision(at::Float32Backend::MKLDNN, at::Float32Op::RNN, precision);
  }
};

}  // namespace packseq::bench
