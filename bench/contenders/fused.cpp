#include <tuple>

#include "contenders/contender.hpp"
#include "packseq/engine/install.hpp"

namespace packseq::bench {

namespace {

Prepared prepare_fused(const Inputs& inputs) {
  Prepared prepared = packed.prepare(inputs);
  prepared.forward = [forward = prepared.forward](const at::Tensor& data) {
    const engine::InstallGuard guard;
    return forward(data);
  };
  return prepared;
}

}  // namespace

const Contender fused{"fused", prepare_fused};

}  // namespace packseq::bench
