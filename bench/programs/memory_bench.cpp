// How much memory one pass of one contender takes, in a process of its own; bench/reports/memory.py runs it for all.

#include <ATen/Parallel.h>

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <initializer_list>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "contenders/run.hpp"
#include "programs/process_memory.hpp"

namespace packseq::bench {
namespace {

/// By how much a second pass lets the process grow; the first one, over a small batch, loads code and tables.
std::int64_t growth_of(const Contender& contender, const Case& subject) {
  Case small = subject;
  small.documents = 2;
  small.longest = 2;
  small.network.input_size = small.network.hidden_size = 16;
  Run(contender, small.mode, make_inputs(small))();

  const auto inputs = make_inputs(subject);
  return growth(Run(contender, subject.mode, inputs));
}

template <class Value>
Value choose(std::string_view word, std::initializer_list<std::pair<std::string_view, Value>> choices) {
  for (const auto& [name, value] : choices) {
    if (word == name) return value;
  }
  throw std::invalid_argument("no such choice: " + std::string(word));
}

int measure(char** words) {
  const auto contender = choose<Contender>(words[0], {{"padded", padded}, {"packed", packed}, {"fused", fused}});
  const auto hidden = std::stoll(words[5]);
  const Case subject{
      .network = {.kind = choose<cost::Kind>(
                      words[1], {{"lstm", cost::Kind::lstm}, {"gru", cost::Kind::gru}, {"rnn", cost::Kind::rnn}}),
                  .input_size = hidden,
                  .hidden_size = hidden},
      .mode = choose<cost::Mode>(words[2], {{"inference", cost::Mode::inference}, {"training", cost::Mode::training}}),
      .documents = std::stoll(words[3]),
      .longest = std::stoll(words[4]),
      .lengths = words[6]};
  at::set_num_threads(1);
  const auto lengths = make_inputs(subject).documents.lengths();
  const auto gates = static_cast<std::int64_t>(subject.network.kind);
  std::cout << "{\"growth\": " << growth_of(contender, subject)
            << ", \"tokens\": " << lengths.sum().item<std::int64_t>()
            << ", \"parameter_bytes\": " << 4 * gates * hidden * (2 * hidden + 2) << "}\n";
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace packseq::bench

int main(int argc, char** argv) {
  if (argc != 8) {
    std::cerr << "Usage: memory_bench CONTENDER KIND MODE DOCUMENTS LONGEST HIDDEN LENGTHS\n";
    return EXIT_FAILURE;
  }
  try {
    return packseq::bench::measure(argv + 1);
  } catch (const std::exception& error) {
    std::cerr << "memory_bench: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
