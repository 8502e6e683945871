#include <c10/core/InferenceMode.h>
#include <torch/optim/sgd.h>

#include <string>
#include <thread>
#include <vector>

#include "nn/embedded_fixture.hpp"
#include "packseq/nn/state_dict.hpp"
#include "packseq/sequence/map.hpp"

// What an embedding and its network keep of each word, and when they let it go.

namespace packseq::test {
namespace {

template <class Network>
class FrozenTest : public EmbeddedTest<Network> {};
TYPED_TEST_SUITE(FrozenTest, EmbeddedNetworks);

TYPED_TEST(FrozenTest, FreezesToTheSameNumbers) {
  for (const auto& of : all_embedded_cases()) {
    const torch::NoGradGuard no_grad;
    auto embedded = this->make(of);
    embedded->eval();
    const auto ids = this->make_ids();
    const auto state = this->make_state(of, ids);
    const auto expected = this->run_modules(embedded, ids, state);
    embedded->freeze();
    EXPECT_EQ(embedded->frozen_words(), word_count);
    this->expect_same(this->run(embedded, ids, state), expected);
    // With room for some of the words; what one of them takes a message tells.
    const std::int64_t blocks = std::is_same_v<TypeParam, nn::RNN> ? 1 : 4;
    const auto bytes = (of.bidirectional ? 2 : 1) * blocks * of.hidden * (of.dtype == at::kDouble ? 8 : 4);
    embedded->freeze(3 * bytes + 1);
    EXPECT_EQ(embedded->frozen_words(), 3);
    this->expect_same(this->run(embedded, ids, state), expected);
    EXPECT_THROWS(embedded->freeze(bytes - 1), c10::ValueError, "and must be at least " + std::to_string(bytes));
  }
}

/// The table is of the precision in which the network ran when it was frozen.
TYPED_TEST(FrozenTest, FreezesInThePrecisionOfTheNetwork) {
  const torch::NoGradGuard no_grad;
  for (const auto dtype : {at::kFloat, at::kDouble, at::kBFloat16}) {
    const EmbeddedCase of = {.layers = 2, .bidirectional = true, .dtype = dtype};
    auto embedded = this->make(of);
    embedded->eval();
    const auto ids = this->make_ids();
    const auto exact = this->run_modules(embedded, ids);
    embedded->network->precision = engine::Precision::bfloat16;
    const auto rounded = this->run_modules(embedded, ids);
    this->expect_same(this->run(embedded, ids), rounded);
    embedded->freeze();
    this->expect_same(this->run(embedded, ids), rounded);
    EXPECT_EQ(embedded->frozen_words(), word_count);
    embedded->network->precision = engine::Precision::float32;
    this->expect_same(this->run(embedded, ids), exact);
    EXPECT_EQ(embedded->frozen_words(), dtype == at::kFloat ? 0 : word_count);
    embedded->network->precision = engine::Precision::bfloat16;
    EXPECT_EQ(embedded->frozen_words(), word_count);
  }
}

TYPED_TEST(FrozenTest, IsNotFrozenWhileItTrains) {
  auto embedded = this->make();
  embedded->freeze();
  this->expect_as_modules(embedded, this->make_ids());
  EXPECT_EQ(embedded->frozen_words(), 0);
}

TYPED_TEST(FrozenTest, LeavesTheTableOnceAWeightChanges) {
  const auto ids = this->make_ids();
  const auto expect_left = [&](const auto& change) {
    auto embedded = this->make();
    embedded->freeze();
    change(embedded);
    EXPECT_EQ(embedded->frozen_words(), 0);
    const torch::NoGradGuard no_grad;
    this->expect_same(this->run(embedded, ids), this->run_modules(embedded, ids));
  };
  expect_left([&](auto& embedded) {
    torch::optim::SGD optimizer(embedded->parameters(), .1);
    weighted_sum(this->run(embedded, ids)).backward();
    optimizer.step();
  });
  for (const auto* name : {"weight_ih_l0", "bias_ih_l0", "bias_hh_l0"}) {
    expect_left([&](auto& embedded) {
      const torch::NoGradGuard no_grad;
      embedded->network->named_parameters()[name].add_(1);
    });
  }
  // A pass that LibTorch's own code runs, too.
  expect_left([&](auto& embedded) {
    torch::optim::SGD optimizer(embedded->parameters(), .1);
    embedded->network->engine = engine::Choice::libtorch;
    weighted_sum(this->results(embedded->forward(ids))).backward();
    optimizer.step();
    embedded->network->engine = engine::Choice::automatic;
  });
  expect_left([](auto& embedded) { embedded->to(at::kDouble); });
  expect_left([](auto& embedded) { embedded->embedding->weight.set_data(torch::zeros({word_count, word_width})); });
  expect_left([&](auto& embedded) {
    auto other = this->make();
    nn::load_state_dict(*embedded, nn::state_dict(*other));
  });
  expect_left([&](auto& embedded) { embedded->network = this->make_network({.bidirectional = true}); });
  expect_left([](auto& embedded) { embedded->unfreeze(); });
}

TYPED_TEST(FrozenTest, RefusesWeightsOfOtherSizesBesideATable) {
  const torch::NoGradGuard no_grad;
  auto embedded = this->make({.layers = 2});
  embedded->freeze();
  embedded->network->named_parameters()["weight_ih_l1"].set_data(torch::zeros({1, 1}));
  EXPECT_THROWS(embedded->forward(this->make_ids()), c10::ValueError, "weight_ih_l1 has sizes [1, 1], and must be [");
  embedded = this->make({.layers = 2});
  embedded->freeze();
  embedded->network->named_parameters()["bias_ih_l1"].set_data(torch::zeros({1}));
  EXPECT_THROWS(embedded->forward(this->make_ids()), c10::ValueError, "the biases have not the sizes");
}

TYPED_TEST(FrozenTest, KnowsWordsThatAreAddedLater) {
  auto embedded = this->make();
  embedded->embedding->weight.set_data(torch::randn({word_count + 2, word_width}));
  this->expect_as_modules(embedded, map(this->make_ids(), [](const at::Tensor& ids) { return ids + 2; }));
}

/// What the header says of changes that LibTorch does not count.
TYPED_TEST(FrozenTest, NeedsToBeToldOfHiddenChanges) {
  const torch::NoGradGuard no_grad;
  const auto ids = this->make_ids();
  auto embedded = this->make();
  embedded->freeze();
  const auto before = this->run(embedded, ids);
  embedded->embedding->weight.data().add_(1);
  this->expect_same(this->run(embedded, ids), before);
  embedded->unfreeze();
  this->expect_same(this->run(embedded, ids), this->run_modules(embedded, ids));

  const c10::InferenceMode inference;
  auto unversioned = this->make();
  unversioned->freeze();
  EXPECT_EQ(unversioned->frozen_words(), word_count);
  this->expect_same(this->run(unversioned, ids), this->run_modules(unversioned, ids));
  unversioned->embedding->weight.add_(1);
  unversioned->unfreeze();
  this->expect_same(this->run(unversioned, ids), this->run_modules(unversioned, ids));
}

TYPED_TEST(FrozenTest, RefusesToFreezeWhatItCannot) {
  auto changing = this->make({}, torch::nn::EmbeddingOptions(word_count, word_width).max_norm(1));
  EXPECT_THROWS(changing->freeze(), c10::ValueError, "max_norm");
  auto half = this->make();
  half->to(at::kHalf);
  EXPECT_THROWS(half->freeze(), c10::ValueError, "the fused engine does not run this: data is Half");
  auto wide = this->make();
  wide->embedding->weight.set_data(torch::zeros({word_count, word_width + 1}));
  EXPECT_THROWS(wide->freeze(), c10::ValueError, "a row of the embedding has sizes [1, ");
  auto plain = this->make();
  plain->network->engine = engine::Choice::libtorch;
  EXPECT_THROWS(plain->freeze(), c10::ValueError, "engine is Choice::libtorch");
}

TYPED_TEST(FrozenTest, ServesManyThreads) {
  auto embedded = this->make({.layers = 2, .bidirectional = true});
  embedded->eval();
  const auto ids = this->make_ids();
  const torch::NoGradGuard no_grad;
  const auto expected = this->results(embedded->forward(ids));
  embedded->freeze();
  std::vector<Tensors> actual(8);
  std::vector<std::thread> threads;
  for (auto& result : actual) {
    threads.emplace_back([&] {
      const torch::NoGradGuard of_thread;
      for (int i = 0; i < 20; ++i) result = this->results(embedded->forward(ids));
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& result : actual) this->expect_same(result, expected);
}

}  // namespace
}  // namespace packseq::test
