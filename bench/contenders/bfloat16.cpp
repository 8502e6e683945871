#include <utility>

#include "contenders/bfloat16_guard.hpp"
#include "contenders/contender.hpp"

namespace packseq::bench {
namespace {

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
