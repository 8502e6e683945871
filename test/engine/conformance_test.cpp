#include <tuple>

#include "engine/as_in_libtorch.hpp"
#include "kernels/targets.hpp"
#include "packseq/nn/gru.hpp"
#include "packseq/nn/lstm.hpp"
#include "packseq/nn/rnn.hpp"
#include "packseq/sequence/map.hpp"
#include "support/sequences.hpp"

// The engine does as LibTorch's own code.

namespace packseq::test {
namespace {

using Lengths = std::vector<std::int64_t>;

class EngineConformance : public testing::TestWithParam<Recurrent> {};
INSTANTIATE_TEST_SUITE_P(Networks, EngineConformance, testing::ValuesIn(all_recurrents()));

TEST_P(EngineConformance, HoldsForEveryOptionAndShape) {
  std::mt19937 random(0);
  torch::manual_seed(0);
  const std::vector<Lengths> batches = {
      {4, 4, 4}, {1, 1, 1, 1, 1}, {25, 2, 1, 1}, {7}, {1}, {9, 9, 7, 5, 5}, random_lengths(random, 50, 9)};
  for (const auto& [input_size, hidden_size] : {std::pair(1, 1), {3, 5}, {7, 33}, {32, 16}}) {
    for (const Recurrent& r : with_every_option(GetParam(), input_size, hidden_size)) {
      for (const Lengths& lengths : batches) {
        expect_as_in_libtorch(r, random_arguments(r, lengths));
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_P(EngineConformance, HoldsWithoutInitialStates) {
  for (const Recurrent& r : with_every_option(GetParam(), 3, 5)) {
    auto arguments = random_arguments(r, {5, 3, 3, 1});
    for (auto& state : arguments.states) state.zero_();
    expect_as_in_libtorch(r, arguments);
  }
}

TEST_P(EngineConformance, HoldsForAThousandHiddenUnits) {
  Recurrent r = GetParam();
  r.input_size = 20;
  r.hidden_size = 1000;
  if (r.proj_size > 0) r.proj_size = 300;
  expect_as_in_libtorch(r, random_arguments(r, {3, 2, 1}));
}

TEST_P(EngineConformance, HoldsOnSeveralThreads) {
  Recurrent r = GetParam();
  r.hidden_size = 410;  // enough weights for steps to be shared
  for (const int threads : {2, 3}) {
    expect_as_in_libtorch(r, random_arguments(r, {9, 8, 7, 7, 6, 6, 6, 2, 1}), threads);
    expect_as_in_libtorch(r, random_arguments(r, {4}), threads);
  }
}

/// The backward pass takes some thousand rows at a time.
TEST_P(EngineConformance, HoldsForSeveralParts) {
  std::mt19937 random(0);
  for (const int threads : {1, 3}) {
    expect_as_in_libtorch(GetParam(), random_arguments(GetParam(), random_lengths(random, 110, 50)), threads);
  }
}

TEST_P(EngineConformance, HoldsOnEveryTarget) {
  std::vector<std::size_t> indices;
  for (const std::int64_t target : targets()) {
    SCOPED_TRACE(hwy::TargetName(target));
    const TargetGuard guard(target);
    indices.push_back(guard.index());
    for (const Recurrent& r : with_every_option(GetParam(), 7, 33)) {
      for (const Lengths& lengths : std::vector<Lengths>{{7}, {9, 9, 7, 5, 5, 4, 3, 3, 1, 1, 1}}) {
        expect_as_in_libtorch(r, random_arguments(r, lengths));
      }
    }
  }
  EXPECT_EQ(std::ranges::adjacent_find(indices, std::greater_equal()), indices.end());
}

/// A projection may be wider than the hidden state: torch::nn refuses that, the operator does not.
TEST(EngineConformance, HoldsForAWideProjection) {
  for (const bool bidirectional : {false, true}) {
    const Recurrent r = {.bidirectional = bidirectional, .hidden_size = 5, .proj_size = 70};
    expect_as_in_libtorch(r, random_arguments(r, {6, 4, 4, 1}));
  }
}

TEST(EngineConformance, HoldsForAnInputWithoutFeatures) {
  for (const auto cell : all_cells) {
    const Recurrent r = {.cell = cell, .input_size = 0};
    const auto arguments = random_arguments(r, {6, 4, 4, 1});
    expect_near(run_fused(r, arguments), run_in_libtorch(r, arguments), 1e-12);
  }
}

TEST(EngineConformance, HoldsForTenThousandSteps) {
  for (const auto cell : all_cells) {
    const Recurrent r = {.cell = cell, .bidirectional = true};
    const auto arguments = random_arguments(r, {10'000, 7'000, 3});
    expect_near(run_fused(r, arguments), run_in_libtorch(r, arguments), 1e-12);
  }
}

/// A module in the engine and in LibTorch's code, on documents some of which are empty.
template <class Network>
void expect_same_with_empty_documents(Network network) {
  network->to(at::kDouble);
  const auto input = torch::randn({4, 3}, at::kDouble).requires_grad_();
  const auto lengths = torch::tensor({0, 3, 0, 1});
  Tensors inputs = network->parameters();
  inputs.push_back(input);
  const auto run = [&](engine::Choice choice) {
    network->engine = choice;
    const auto result = network->forward(pack_sequence(Jagged::from_values(input, lengths)));
    Tensors outputs = {result.output.data(), result.state.h};
    if (result.state.c.defined()) outputs.push_back(result.state.c);
    const auto of_inputs = gradients(outputs, inputs);
    outputs.insert(outputs.end(), of_inputs.begin(), of_inputs.end());
    return outputs;
  };
  expect_near(run(engine::Choice::fused), run(engine::Choice::libtorch), 1e-10);
}

TEST(EngineConformance, HoldsForEmptyDocuments) {
  expect_same_with_empty_documents(nn::LSTM(torch::nn::LSTMOptions(3, 5).bidirectional(true).num_layers(2)));
  expect_same_with_empty_documents(nn::GRU(torch::nn::GRUOptions(3, 5).bidirectional(true).num_layers(2)));
  expect_same_with_empty_documents(nn::RNN(torch::nn::RNNOptions(3, 5).bidirectional(true).num_layers(2)));
}

}  // namespace
}  // namespace packseq::test
