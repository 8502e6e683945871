#include "contenders/contender.hpp"

namespace packseq::bench {

const Contender fused_padded{"fused_padded", [](const Inputs& inputs) { return in_engine(padded.prepare(inputs)); },
                             /*reads_padding=*/true};

}  // namespace packseq::bench
