#include <ATen/Context.h>

#include <utility>

#include "contenders/contender.hpp"

namespace packseq::bench {
namespace {

/// LibTorch's switch is so while this lives.
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

/// The backward pass goes by what the forward pass found.
Prepared prepare_bfloat16(const Inputs& inputs) {
  Prepared prepared = fused.prepare(inputs);
  prepared.forward = [forward = std::move(prepared.forward)](const at::Tensor& data) {
    const Bfloat16Guard guard;
    return forward(data);
  };
  return prepared;
}

}  // namespace

const Contender bfloat16{"bfloat16", prepare_bfloat16, /*reads_padding=*/false, /*tolerance=*/0.05};

}  // namespace packseq::bench
