#include <torch/optim/sgd.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "nn/network.hpp"
#include "packseq/nn/gru.hpp"
#include "packseq/nn/lstm.hpp"
#include "packseq/nn/rnn.hpp"
#include "support/batches.hpp"
#include "support/throws.hpp"

// Networks whose weights are frozen; what that means to the engine its own tests tell.

namespace packseq::test {
namespace {

template <class Network>
class FreezeTest : public testing::Test {
 protected:
  FreezeTest() { torch::manual_seed(0); }
  PackedSequence input = pack_sequence({torch::rand({3, 4}), torch::rand({1, 4}), torch::rand({2, 4})});
  Network network = Network(4, 5);
};
using Networks = testing::Types<nn::LSTM, nn::GRU, nn::RNN>;
TYPED_TEST_SUITE(FreezeTest, Networks);

TYPED_TEST(FreezeTest, ChangesNoBit) {
  const at::NoGradGuard no_grad;
  EXPECT_FALSE(this->network->frozen());
  const auto expected = this->network->forward(this->input).output.data();
  this->network->freeze();
  EXPECT_TRUE(this->network->frozen());
  for (int pass = 0; pass < 2; ++pass) EXPECT_SAME(this->network->forward(this->input).output.data(), expected);
  this->network->unfreeze();
  EXPECT_FALSE(this->network->frozen());
}

TYPED_TEST(FreezeTest, EndsWithTraining) {
  for (const auto choice : {engine::Choice::automatic, engine::Choice::libtorch}) {
    this->network->freeze();
    this->network->engine = choice;
    torch::optim::SGD optimizer(this->network->parameters(), .1);
    this->network->forward(this->input).output.data().sum().backward();
    optimizer.step();
    EXPECT_FALSE(this->network->frozen());
    this->network->engine = engine::Choice::automatic;
  }
}

TYPED_TEST(FreezeTest, EndsWithTrainingOnNoTokens) {
  this->network->freeze();
  const auto nothing = pack_sequence({torch::rand({0, 4})});
  this->network->forward(nothing).output.data().sum().backward();
  EXPECT_FALSE(this->network->frozen());
}

TYPED_TEST(FreezeTest, ComesAndGoesWhileThreadsShareTheModule) {
  const auto run = [this] {
    const at::NoGradGuard no_grad;
    return this->network->forward(this->input).output.data();
  };
  const at::Tensor expected = run();
  std::atomic<std::int64_t> running = 8;
  std::atomic<std::int64_t> wrong = 0;
  std::vector<std::thread> threads;
  for (std::int64_t i = running; i > 0; --i) {
    threads.emplace_back([&] {
      for (std::int64_t pass = number_of_batches(500); pass > 0; --pass) wrong += !at::equal(run(), expected);
      --running;
    });
  }
  while (running > 0) {
    this->network->freeze();
    std::this_thread::yield();
    this->network->unfreeze();
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TYPED_TEST(FreezeTest, IsNotCloned) {
  this->network->freeze();
  EXPECT_FALSE(std::dynamic_pointer_cast<typename TypeParam::ContainedType>(this->network->clone())->frozen());
}

TYPED_TEST(FreezeTest, EndsWhereTheModuleMoves) {
  this->network->freeze();
  this->network->to(at::kDouble);
  EXPECT_FALSE(this->network->frozen());
}

TYPED_TEST(FreezeTest, IsRefusedWhereTheEngineDoesNotRunTheNetwork) {
  this->network->engine = engine::Choice::libtorch;
  EXPECT_THROWS(this->network->freeze(), c10::ValueError, "::freeze: the fused engine does not run this: engine is");
  this->network->engine = engine::Choice::automatic;
  this->network->to(at::kHalf);
  EXPECT_THROWS(this->network->freeze(), c10::ValueError, "Half, and the engine runs Float, Double and BFloat16");
}

}  // namespace
}  // namespace packseq::test
