#pragma once

#include <torch/serialize.h>

#include <sstream>
#include <thread>

#include "nn/network.hpp"
#include "packseq/nn/result.hpp"
#include "packseq/nn/state_dict.hpp"

// The tests that every network over packed sequences passes as a module, whatever it makes of a batch.

namespace packseq::test {

/// Two layers in two directions.
inline constexpr NetworkOptions large = {.layers = 2, .bidirectional = true};

inline void expect_same_weights(const torch::nn::Module& actual, const torch::nn::Module& expected) {
  const auto actual_state = nn::state_dict(actual);
  const auto expected_state = nn::state_dict(expected);
  ASSERT_EQ(actual_state.keys(), expected_state.keys());
  for (const auto& key : expected_state.keys()) EXPECT_SAME(actual_state[key].cpu(), expected_state[key].cpu());
}

template <class Network>
class ModuleConformance : public NetworkTest<Network> {};
TYPED_TEST_SUITE_P(ModuleConformance);

TYPED_TEST_P(ModuleConformance, StartsFromTheNumbersOfLibTorch) {
  const auto [ours, theirs] = this->make(large);
  expect_same_weights(*ours, *theirs);
}

TYPED_TEST_P(ModuleConformance, LoadsWeightsBothWays) {
  for (const auto& options : all_network_options()) {
    typename TypeParam::Ours ours(TypeParam::options(options));
    typename TypeParam::Theirs theirs(TypeParam::options(options));
    typename TypeParam::Ours again(TypeParam::options(options));
    std::stringstream first, second;
    torch::save(ours, first);
    torch::load(theirs, first);
    expect_same_weights(*theirs, *ours);
    torch::save(theirs, second);
    torch::load(again, second);
    expect_same_weights(*again, *ours);

    nn::load_state_dict(*again, nn::state_dict(*typename TypeParam::Theirs(TypeParam::options(options))));
    nn::load_state_dict(*theirs, nn::state_dict(*again));
    expect_same_weights(*theirs, *again);
    const auto packed = pack_sequence({torch::rand({2, 3}), torch::rand({4, 3})});
    again->eval();
    theirs->eval();
    expect_close(TypeParam::ours(again, packed, {}), TypeParam::theirs(theirs, packed, {}));
  }
}

TYPED_TEST_P(ModuleConformance, ClonesToItsOwnClass) {
  auto ours = this->make(large).first;
  ours->eval();
  ours->parameters()[0].set_requires_grad(false);
  for (const auto device : devices()) {
    const auto copy = std::dynamic_pointer_cast<typename TypeParam::Ours::ContainedType>(ours->clone(device));
    ASSERT_NE(copy, nullptr);
    expect_same_weights(*copy, *ours);
    EXPECT_FALSE(copy->is_training());
    EXPECT_FALSE(copy->parameters()[0].requires_grad());
    EXPECT_TRUE(copy->parameters()[1].requires_grad());
    typename TypeParam::Ours copied(copy);
    const auto packed = pack_sequence({torch::rand({2, 3}, doubles)});
    Tensors output = TypeParam::ours(copied, packed.to(device), {});
    for (auto& tensor : output) tensor = tensor.cpu();
    expect_close(output, TypeParam::ours(ours, packed, {}));
    {
      const torch::NoGradGuard no_grad;
      copy->parameters()[0].zero_();
    }
    EXPECT_FALSE(at::equal(copy->parameters()[0].cpu(), ours->parameters()[0]));
  }
}

TYPED_TEST_P(ModuleConformance, KeepsItsClassInASequential) {
  auto ours = this->make({}).first;
  torch::nn::Sequential network(ours, nn::TakeOutput());
  const auto packed = pack_sequence({torch::rand({2, 3}, doubles), torch::rand({0, 3}, doubles)});
  torch::nn::Sequential copy(std::dynamic_pointer_cast<torch::nn::SequentialImpl>(network->clone()));
  EXPECT_SAME(copy->forward<PackedSequence>(packed).data(), network->forward<PackedSequence>(packed).data());
  EXPECT_SAME(network->forward<PackedSequence>(packed).data(), TypeParam::ours(ours, packed, {})[0]);
}

TYPED_TEST_P(ModuleConformance, MayBeRunByManyThreads) {
  auto ours = this->make(large).first;
  const auto packed = pack_sequence({torch::rand({5, 3}, doubles), torch::rand({7, 3}, doubles)});
  const auto run = [&] {
    auto results = TypeParam::ours(ours, packed, {});
    const auto gradients = torch::autograd::grad({results[0].sum()}, ours->parameters());
    results.insert(results.end(), gradients.begin(), gradients.end());
    return results;
  };
  const auto expected = run();
  std::vector<Tensors> actual(8);
  std::vector<std::thread> threads;
  for (auto& results : actual) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20; ++round) results = run();
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& results : actual) expect_close(results, expected);
}

REGISTER_TYPED_TEST_SUITE_P(ModuleConformance, StartsFromTheNumbersOfLibTorch, LoadsWeightsBothWays,
                            ClonesToItsOwnClass, KeepsItsClassInASequential, MayBeRunByManyThreads);

}  // namespace packseq::test
