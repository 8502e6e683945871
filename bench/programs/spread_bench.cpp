#include "programs/spread_bench.hpp"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "contenders/inputs.hpp"
#include "packseq/sequence/map.hpp"
#include "packseq/sequence/pack.hpp"
#include "packseq/sequence/pool.hpp"
#include "packseq/sequence/softmax.hpp"
#include "packseq/sequence/spread.hpp"
#include "packseq/sequence/step.hpp"

namespace packseq::bench {
namespace {

constexpr std::int64_t documents = 128;
constexpr std::int64_t width = 256;

/// The same at every call: the longest document has this many steps.
PackedSequence make_packed(std::int64_t longest) {
  at::manual_seed(0);
  const auto lengths = draw_lengths("lognormal", documents, longest);
  return pack_sequence(Jagged::from_values(at::randn({lengths.sum().item<std::int64_t>(), width}), lengths));
}

/// What is timed, made ready for a batch and rows for its documents, once it is known to come to the right result.
using Operation = std::function<std::function<at::Tensor()>(const PackedSequence&, const at::Tensor&)>;

/// @throws std::runtime_error if it is not right.
void check(bool right, const std::string& problem) {
  if (!right) throw std::runtime_error("data_bench: " + problem);
}

std::function<at::Tensor()> spread_rows(const PackedSequence& packed, const at::Tensor& rows) {
  check(at::equal(last_step(spread(packed, rows)), rows), "spread gives a document's last token another row");
  return [=] { return spread(packed, rows).data(); };
}

std::function<at::Tensor()> softmax_data(const PackedSequence& packed, const at::Tensor&) {
  const at::Tensor ones = at::ones({documents, width});
  check(at::allclose(sum_pool(softmax(packed)), ones), "softmax has another sum than 1");
  return [=] { return softmax(packed).data(); };
}

std::function<at::Tensor()> pooled_sums(const PackedSequence& packed, const at::Tensor& rows) {
  const at::Tensor lengths_of_documents = lengths(packed).unsqueeze(1);
  check(at::allclose(sum_pool(spread(packed, rows)), rows * lengths_of_documents, 1e-3, 1e-3), "sum_pool sums wrong");
  return [=] { return sum_pool(packed); };
}

/// The gradient of `output` with respect to `input`, through a graph that stays.
std::function<at::Tensor()> gradient(const at::Tensor& output, const at::Tensor& input, const at::Tensor& of_output) {
  return [=] { return torch::autograd::grad({output}, {input}, {of_output}, /*retain_graph=*/true)[0]; };
}

std::function<at::Tensor()> spread_gradient(const PackedSequence& packed, const at::Tensor& rows) {
  const at::Tensor input = rows.detach().requires_grad_();
  return gradient(spread(packed, input).data(), input, packed.data());
}

std::function<at::Tensor()> sum_pool_gradient(const PackedSequence& packed, const at::Tensor& rows) {
  const at::Tensor input = packed.data().detach().requires_grad_();
  return gradient(sum_pool(with_data(packed, input)), input, rows);
}

std::function<at::Tensor()> softmax_gradient(const PackedSequence& packed, const at::Tensor&) {
  const at::Tensor input = packed.data().detach().requires_grad_();
  return gradient(softmax(with_data(packed, input)).data(), input, packed.data());
}

double median(std::vector<double> numbers) {
  std::nth_element(numbers.begin(), numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2), numbers.end());
  return numbers[numbers.size() / 2];
}

/// Times the operation and a copy in turn. Counters: the median of each in microseconds, and their ratio.
void measure(benchmark::State& state, const Operation& operation, std::int64_t longest, int threads) {
  using Clock = std::chrono::steady_clock;
  at::set_num_threads(threads);
  const auto packed = make_packed(longest);
  const auto rows = at::randn({documents, width});
  std::vector<double> times;
  std::vector<double> copies;
  const auto time = [](const auto& timed) {
    const auto start = Clock::now();
    benchmark::DoNotOptimize(timed());
    return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
  };
  const auto run = operation(packed, rows);
  run();  // its first touch of memory is nobody's speed
  for (auto _ : state) {
    copies.push_back(time([&] { return packed.data().clone(); }));
    times.push_back(time(run));
  }
  state.counters["microseconds"] = median(times);
  state.counters["copy_microseconds"] = median(copies);
  state.counters["times_a_copy"] = median(times) / median(copies);
  state.counters["tokens"] = static_cast<double>(packed.data().size(0));
}

}  // namespace

void add_spread_benchmarks() {
  const std::vector<std::pair<std::string, Operation>> operations = {
      {"spread", spread_rows},   {"spread_gradient", spread_gradient},
      {"sum_pool", pooled_sums}, {"sum_pool_gradient", sum_pool_gradient},
      {"softmax", softmax_data}, {"softmax_gradient", softmax_gradient}};
  for (const std::int64_t longest : {150, 600}) {
    for (const int threads : {1, 2}) {
      for (const auto& [name, operation] : operations) {
        const auto full_name = name + "/B:" + std::to_string(documents) + "/T:" + std::to_string(longest) +
                               "/E:" + std::to_string(width) + "/threads:" + std::to_string(threads);
        benchmark::RegisterBenchmark(
            full_name.c_str(),
            [operation = operation, longest, threads](auto& state) { measure(state, operation, longest, threads); })
            ->UseRealTime()
            ->Unit(benchmark::kMicrosecond);
      }
    }
  }
}

}  // namespace packseq::bench
