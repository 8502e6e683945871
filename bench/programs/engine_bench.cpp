// The fused engine against LibTorch's padded and packed paths, over kinds, sizes and lengths. Without --all a choice of
// them that runs in a quarter of an hour.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "contenders/measure.hpp"
#include "programs/kernel_peak.hpp"

namespace {

using packseq::bench::benchmark_name;
using packseq::bench::Case;
using packseq::cost::Kind;
using packseq::cost::Mode;

void add(const Case& subject) {
  using namespace packseq::bench;
  register_case(subject, {padded, packed, fused, fused_padded, bfloat16});
}

Case make_case(std::int64_t documents, std::int64_t longest, std::int64_t input, std::int64_t hidden,
               std::string_view lengths) {
  return {.network = {.input_size = input, .hidden_size = hidden},
          .documents = documents,
          .longest = longest,
          .lengths = lengths};
}

/// Some of everything.
std::vector<Case> choice() {
  std::vector<Case> cases = {make_case(1, 100, 128, 128, "equal"),      make_case(1, 100, 512, 512, "equal"),
                             make_case(1, 5, 512, 512, "equal"),        make_case(32, 5, 256, 256, "uniform60"),
                             make_case(8, 100, 128, 128, "lognormal"),  make_case(8, 100, 512, 512, "uniform60"),
                             make_case(32, 100, 128, 128, "uniform60"), make_case(64, 100, 256, 256, "uniform30"),
                             make_case(64, 100, 256, 256, "equal"),     make_case(32, 100, 100, 300, "uniform60"),
                             make_case(128, 100, 128, 128, "outlier"),  make_case(8, 1000, 128, 128, "lognormal"),
                             make_case(32, 100, 512, 512, "uniform60")};
  cases.push_back(make_case(32, 100, 128, 128, "uniform60"));
  cases.back().network.num_layers = 2;
  cases.back().network.bidirectional = true;
  return cases;
}

/// Every combination of kinds, sizes and lengths; what `choice` has besides is in it as well.
std::vector<Case> everything() {
  std::vector<Case> cases;
  for (const std::int64_t hidden : {128, 256, 512, 1024}) {
    for (const std::int64_t documents : {8, 32, 64, 128}) {
      for (const auto* lengths : {"equal", "uniform60", "uniform30", "lognormal", "outlier"}) {
        cases.push_back(make_case(documents, 100, hidden, hidden, lengths));
      }
    }
  }
  for (const std::int64_t hidden : {128, 256, 512}) {
    for (const std::int64_t documents : {1, 8, 32, 64})
      cases.push_back(make_case(documents, 5, hidden, hidden, "equal"));
  }
  cases.push_back(make_case(1, 100, 256, 256, "equal"));
  cases.push_back(make_case(1, 100, 1024, 1024, "equal"));
  for (const auto& subject : choice()) {
    const auto is_same = [&](const Case& other) { return benchmark_name(other, "") == benchmark_name(subject, ""); };
    if (std::none_of(cases.begin(), cases.end(), is_same)) cases.push_back(subject);
  }
  return cases;
}

}  // namespace

int main(int argc, char** argv) {
  const bool all = argc > 1 && std::strcmp(argv[1], "--all") == 0;
  if (all) {
    argv[1] = argv[0];
    --argc;
    ++argv;
  }
  packseq::bench::register_kernel_peak();
  for (auto& subject : all ? everything() : choice()) {
    for (const auto kind : {Kind::lstm, Kind::gru, Kind::rnn}) {
      for (const auto mode : {Mode::inference, Mode::training}) {
        for (const int threads : {1, 2}) {
          subject.network.kind = kind;
          subject.mode = mode;
          subject.threads = threads;
          add(subject);
        }
      }
    }
  }
  return packseq::bench::run_benchmarks(argc, argv);
}
