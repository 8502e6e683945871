// LibTorch's padded path against its packed one: does packing, which saves FLOPs, save time?

#include "contenders/measure.hpp"

namespace {

using packseq::bench::Case;
using packseq::cost::Kind;
using packseq::cost::Mode;

void add(const Case& subject) {
  packseq::bench::register_case(subject, {packseq::bench::padded, packseq::bench::packed});
}

void add_cases(Kind kind, Mode mode) {
  const Case usual{.network = {.kind = kind, .input_size = 128, .hidden_size = 128},
                   .mode = mode,
                   .documents = 32,
                   .longest = 100,
                   .lengths = "uniform60"};
  for (const auto* lengths : {"equal", "uniform60", "uniform30", "lognormal", "outlier"}) {
    auto subject = usual;
    subject.lengths = lengths;
    add(subject);
  }

  auto large = usual;
  large.documents = 64;
  large.network.input_size = large.network.hidden_size = 256;
  add(large);

  // Only one kind: where other programs keep a core busy, LibTorch's threads wait for each other at every step, and a
  // pass that takes milliseconds takes seconds.
  if (kind != Kind::lstm) return;
  auto two_threads = usual;
  two_threads.threads = 2;
  add(two_threads);
}

}  // namespace

int main(int argc, char** argv) {
  for (const auto kind : {Kind::lstm, Kind::gru, Kind::rnn}) {
    for (const auto mode : {Mode::inference, Mode::training}) add_cases(kind, mode);
  }
  return packseq::bench::run_benchmarks(argc, argv);
}
