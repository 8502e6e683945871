#pragma once

namespace packseq::bench {

/// Registers the benchmark "peak": FLOPs per second of the engine's micro-kernel on one core, with everything it reads
/// in the nearest cache. What a whole network reaches is a share of this.
void register_kernel_peak();

}  // namespace packseq::bench
