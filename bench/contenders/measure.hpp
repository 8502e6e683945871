#pragma once

#include <vector>

#include "contenders/contender.hpp"

namespace packseq::bench {

/// Registers a benchmark for each contender. Before the first of them is timed, all are run once on the same inputs;
/// results that differ on real tokens end the program.
///
/// Counters, per iteration: `executed_flops` and `useful_flops` of the matrix products, both also per second of
/// elapsed time, and `fill`, useful tokens over B * T.
void register_case(const Case& subject, const std::vector<Contender>& contenders);

/// The main function of a benchmark program: repeats each benchmark, all in random order, unless flags say otherwise.
int run_benchmarks(int argc, char** argv);

}  // namespace packseq::bench
