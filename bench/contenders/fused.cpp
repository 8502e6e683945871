#include <utility>

#include "contenders/contender.hpp"
#include "packseq/engine/install.hpp"

namespace packseq::bench {

Prepared in_engine(Prepared prepared) {
  prepared.forward = [forward = std::move(prepared.forward)](const at::Tensor& data) {
    const engine::InstallGuard guard;
    return forward(data);
  };
  return prepared;
}

const Contender fused{"fused", [](const Inputs& inputs) { return in_engine(packed.prepare(inputs)); }};

}  // namespace packseq::bench
