#pragma once

namespace packseq::bench {

/// Registers `spread`, `sum_pool`, `softmax` and their gradients over a batch of 128 documents of 256 numbers a token,
/// each beside a copy of as many bytes.
void add_spread_benchmarks();

}  // namespace packseq::bench
