#include "contenders/measure.hpp"

#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <torch/version.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "contenders/run.hpp"

namespace packseq::bench {

namespace {

/// @throws std::runtime_error if the results of contenders that answer the same question differ by more than rounding.
void check_equal(const Case& subject, const std::vector<Contender>& contenders, const Inputs& inputs) {
  struct Answer {
    std::string_view contender;
    std::vector<at::Tensor> results;
  };
  std::map<bool, Answer> expected;  // by what is read
  for (const Contender& contender : contenders) {
    const bool reads_padding = subject.network.bidirectional && contender.reads_padding;
    const auto actual = Run(contender, subject.mode, inputs).comparable_results();
    const auto& [first, results] = expected.try_emplace(reads_padding, Answer{contender.name, actual}).first->second;
    for (std::size_t i = 0; i < actual.size(); ++i) {
      const auto error = (actual[i] - results[i]).abs().max().item<double>();
      const auto tolerance = contender.tolerance * std::max(1.0, results[i].abs().max().item<double>());
      if (error <= tolerance) continue;
      const auto* result = i == 0 ? "output" : i == 1 ? "gradient of the input" : "gradient of a parameter";
      std::ostringstream message;
      message << benchmark_name(subject, contender.name) << ": the " << result << " differs from that of " << first
              << " by up to " << error << ", more than " << tolerance;
      throw std::runtime_error(message.str());
    }
  }
}

std::int64_t flops(const Case& subject, const at::Tensor& lengths) {
  const auto forward = cost::forward_flops(subject.network, lengths);
  if (subject.mode == cost::Mode::inference) return forward;
  return forward + cost::backward_flops(subject.network, lengths, {.input = true, .initial_state = false});
}

void set_counters(benchmark::State& state, const Case& subject, const Run& run, const at::Tensor& lengths) {
  const auto executed = static_cast<double>(flops(subject, run.executed_lengths()));
  const auto useful = static_cast<double>(flops(subject, lengths));
  constexpr auto rate = benchmark::Counter::kIsIterationInvariantRate;
  state.counters["executed_flops"] = executed;
  state.counters["useful_flops"] = useful;
  state.counters["executed_flops_per_second"] = benchmark::Counter(executed, rate);
  state.counters["useful_flops_per_second"] = benchmark::Counter(useful, rate);
  state.counters["fill"] = lengths.sum().item<double>() / static_cast<double>(subject.documents * subject.longest);
}

}  // namespace

void register_case(const Case& subject, const std::vector<Contender>& contenders) {
  const auto checked = std::make_shared<bool>(false);
  for (const auto& contender : contenders) {
    // Inputs are made again at every call: held for all cases at once they would not fit into memory.
    const auto measure = [=](benchmark::State& state) {
      at::set_num_threads(subject.threads);
      const auto inputs = make_inputs(subject);
      if (!*checked) check_equal(subject, contenders, inputs);
      *checked = true;

      const Run run(contender, subject.mode, inputs);
      run();  // its first touch of memory and caches is nobody's speed
      for (auto _ : state) benchmark::DoNotOptimize(run());
      set_counters(state, subject, run, inputs.documents.lengths());
    };
    const auto name = benchmark_name(subject, contender.name);
    benchmark::RegisterBenchmark(name.c_str(), measure)->UseRealTime()->Unit(benchmark::kMillisecond);
  }
}

int run_benchmarks(int argc, char** argv) {
  // Where a flag is given twice the later one wins, so that the command line overrides these.
  std::vector<std::string> arguments = {argv[0],
                                        "--benchmark_enable_random_interleaving=true",
                                        "--benchmark_repetitions=5",
                                        "--benchmark_min_time=0.05",
                                        "--benchmark_display_aggregates_only=true",
                                        "--benchmark_counters_tabular=true"};
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  std::vector<char*> pointers;
  for (auto& argument : arguments) pointers.push_back(argument.data());
  auto count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return EXIT_FAILURE;

  benchmark::AddCustomContext("libtorch", TORCH_VERSION);
  try {
    return benchmark::RunSpecifiedBenchmarks() > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return EXIT_FAILURE;
  }
}

}  // namespace packseq::bench
