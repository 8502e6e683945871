// Networks that are given a step or a few at a time, the state handed on, as in online inference, reinforcement
// learning and speech: LibTorch's padded and packed paths and its cells beside the fused engine, with weights that are
// frozen and that are not, and with products of bfloat16. Inference.

#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>
#include <torch/nn/modules/rnn.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "contenders/bfloat16_guard.hpp"
#include "contenders/measure.hpp"
#include "packseq/engine/freeze.hpp"
#include "packseq/engine/install.hpp"
#include "packseq/sequence/pack.hpp"

namespace packseq::bench {
namespace {

struct StepCase {
  std::int64_t documents;
  std::int64_t steps;
  std::int64_t size;  ///< I and H
  int threads;
};

/// h and, of an LSTM, c, as the contender has them.
struct StepState {
  at::Tensor h;
  at::Tensor c;
};

/// Runs the network over the case's steps from a state, which it replaces; the output [T, B, H].
using Steps = std::function<at::Tensor(StepState&)>;

/// What the contenders of a case have in common.
template <class Module>
struct StepInputs {
  explicit StepInputs(const StepCase& subject)
      : network(subject.size, subject.size),
        padded(at::randn({subject.steps, subject.documents, subject.size})),
        packed(pack_sequence(padded.unbind(1), {.enforce_sorted = true})) {
    network->eval();
  }

  Module network;
  at::Tensor padded;
  PackedSequence packed;
};

/// Calls a module's forward, which takes and returns its state in a way of its own.
template <class Module, class Forward>
auto run_from(StepState& state, const Forward& forward) {
  if constexpr (std::is_same_v<Module, torch::nn::LSTM>) {
    auto [output, next] = forward(std::make_tuple(state.h, state.c));
    std::tie(state.h, state.c) = next;
    return output;
  } else {
    auto [output, next] = forward(state.h);
    state.h = next;
    return output;
  }
}

template <class Module>
Steps padded_steps(StepInputs<Module>& inputs) {
  return [&inputs](StepState& state) {
    return run_from<Module>(state, [&](const auto& from) { return inputs.network->forward(inputs.padded, from); });
  };
}

template <class Module>
Steps packed_steps(StepInputs<Module>& inputs) {
  return [&inputs](StepState& state) {
    const auto output = run_from<Module>(
        state, [&](const auto& from) { return inputs.network->forward_with_packed_input(inputs.packed, from); });
    return output.data().view_as(inputs.padded);
  };
}

template <class Module>
Steps in_engine(StepInputs<Module>& inputs, Steps steps) {
  engine::unfreeze(inputs.network->parameters());
  return [steps = std::move(steps)](StepState& state) {
    const engine::InstallGuard guard;
    return steps(state);
  };
}

template <class Module>
Steps fused_steps(StepInputs<Module>& inputs) {
  return in_engine(inputs, packed_steps(inputs));
}

template <class Module>
Steps fused_padded_steps(StepInputs<Module>& inputs) {
  return in_engine(inputs, padded_steps(inputs));
}

template <class Module>
Steps frozen_steps(StepInputs<Module>& inputs) {
  Steps steps = fused_steps(inputs);
  engine::freeze(inputs.network->parameters());
  return steps;
}

Steps in_bfloat16(Steps steps) {
  return [steps = std::move(steps)](StepState& state) {
    const Bfloat16Guard guard;
    return steps(state);
  };
}

template <class Module>
Steps bfloat16_steps(StepInputs<Module>& inputs) {
  return in_bfloat16(fused_steps(inputs));
}

template <class Module>
Steps bfloat16_frozen_steps(StepInputs<Module>& inputs) {
  return in_bfloat16(frozen_steps(inputs));
}

/// The cell that belongs to a network; RNNs are those with tanh.
auto make_cell(const torch::nn::LSTM&, std::int64_t size) { return torch::nn::LSTMCell(size, size); }
auto make_cell(const torch::nn::GRU&, std::int64_t size) { return torch::nn::GRUCell(size, size); }
auto make_cell(const torch::nn::RNN&, std::int64_t size) { return torch::nn::RNNCell(size, size); }

template <class Module>
Steps cell_steps(StepInputs<Module>& inputs) {
  auto cell = make_cell(inputs.network, inputs.padded.size(2));
  const auto weights = inputs.network->parameters();
  for (std::size_t i = 0; i < weights.size(); ++i) cell->parameters()[i].copy_(weights[i]);
  return [&inputs, cell](StepState& state) mutable {
    std::vector<at::Tensor> outputs;
    at::Tensor h = state.h[0];
    at::Tensor c = state.c[0];
    for (const at::Tensor& x : inputs.padded.unbind(0)) {
      if constexpr (std::is_same_v<Module, torch::nn::LSTM>) {
        std::tie(h, c) = cell->forward(x, std::make_tuple(h, c));
      } else {
        h = cell->forward(x, h);
      }
      outputs.push_back(h);
    }
    state = {h.unsqueeze(0), c.unsqueeze(0)};
    return at::stack(outputs);
  };
}

template <class Module>
struct StepContender {
  const char* name;
  Steps (*make)(StepInputs<Module>& inputs);
  double tolerance = 1e-4;  ///< How far from others its results may be, of each of them; and a tenth of it of 1.
};

template <class Module>
constexpr StepContender<Module> step_contenders[] = {{"padded", padded_steps<Module>},
                                                     {"packed", packed_steps<Module>},
                                                     {"cell", cell_steps<Module>},
                                                     {"fused", fused_steps<Module>},
                                                     {"fused_padded", fused_padded_steps<Module>},
                                                     {"frozen", frozen_steps<Module>},
                                                     {"bfloat16", bfloat16_steps<Module>, 0.1},
                                                     {"bfloat16_frozen", bfloat16_frozen_steps<Module>, 0.1}};

StepState zeros(const StepCase& subject) {
  return {at::zeros({1, subject.documents, subject.size}), at::zeros({1, subject.documents, subject.size})};
}

/// @throws std::runtime_error if the contenders' results differ by more than rounding.
template <class Module>
void check_steps(const StepCase& subject, StepInputs<Module>& inputs, const std::string& name) {
  std::vector<at::Tensor> expected;
  for (const auto& contender : step_contenders<Module>) {
    const auto steps = contender.make(inputs);
    StepState state = zeros(subject);
    for (std::size_t call = 0; call < 3; ++call) {
      const at::Tensor output = steps(state);
      if (expected.size() == call) expected.push_back(output);
      if (!at::allclose(output, expected[call], contender.tolerance, contender.tolerance / 10)) {
        throw std::runtime_error(name + ": " + contender.name + " differs from padded");
      }
    }
  }
}

template <class Module>
void register_steps(const std::string& kind, const StepCase& subject) {
  const std::string name = "steps/" + kind + "/B:" + std::to_string(subject.documents) +
                           "/T:" + std::to_string(subject.steps) + "/H:" + std::to_string(subject.size);
  const auto checked = std::make_shared<bool>(false);
  for (const auto& contender : step_contenders<Module>) {
    const auto measure = [=](benchmark::State& state) {
      at::set_num_threads(subject.threads);
      StepInputs<Module> inputs(subject);
      const c10::InferenceMode guard;
      if (!*checked) check_steps(subject, inputs, name);
      *checked = true;
      const auto steps = contender.make(inputs);
      StepState of_network = zeros(subject);
      for (int warm_up = 0; warm_up < 3; ++warm_up) steps(of_network);
      for (auto _ : state) benchmark::DoNotOptimize(steps(of_network));
    };
    const auto full = name + "/threads:" + std::to_string(subject.threads) + "/" + contender.name;
    benchmark::RegisterBenchmark(full.c_str(), measure)->UseRealTime()->Unit(benchmark::kMicrosecond);
  }
}

}  // namespace
}  // namespace packseq::bench

int main(int argc, char** argv) {
  using packseq::bench::register_steps;
  std::vector<packseq::bench::StepCase> cases;
  for (const int threads : {1, 2}) {
    for (const std::int64_t size : {64, 128, 192, 256, 384, 512, 1024}) {
      cases.push_back({1, 1, size, threads});
      for (const std::int64_t documents : {1, 4, 8}) {
        for (const std::int64_t steps : {2, 4, 8}) cases.push_back({documents, steps, size, threads});
      }
    }
  }
  for (const auto& subject : cases) {
    register_steps<torch::nn::LSTM>("lstm", subject);
    register_steps<torch::nn::GRU>("gru", subject);
    register_steps<torch::nn::RNN>("rnn", subject);
  }
  return packseq::bench::run_benchmarks(argc, argv);
}
