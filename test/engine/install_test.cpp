#include "packseq/engine/install.hpp"

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/nn/modules/rnn.h>

#include <atomic>
#include <thread>

#include "engine/recurrent.hpp"
#include "packseq/sequence/pack.hpp"
#include "support/sequences.hpp"

namespace packseq::test {
namespace {

bool is_registered() {
  const auto lstm = c10::Dispatcher::singleton().findSchemaOrThrow("aten::lstm", "data");
  return lstm.hasKernelForDispatchKey(c10::DispatchKey::CPU);
}

/// Sees the program before any test has installed anything.
class AtStart : public testing::Environment {
 public:
  void SetUp() override {
    was_registered = is_registered();
    was_installed = engine::installed();
  }
  inline static bool was_registered = true;
  inline static bool was_installed = true;
};
[[maybe_unused]] const auto* const at_start = testing::AddGlobalTestEnvironment(new AtStart);

/// Whether LibTorch's operator runs in the engine.
bool is_used() {
  const Recurrent r;
  const MultiplyAdds multiply_adds;
  run(r, random_arguments(r, four_lengths));
  return multiply_adds.count() == 0;
}

TEST(Install, IsNotDoneByLinkingAlone) {
  EXPECT_FALSE(AtStart::was_registered);
  EXPECT_FALSE(AtStart::was_installed);
}

TEST(Install, LastsUntilUninstall) {
  EXPECT_FALSE(is_used());
  for (int round = 0; round < 2; ++round) {
    engine::install();
    engine::install();
    EXPECT_TRUE(engine::installed());
    EXPECT_TRUE(is_used());
    EXPECT_TRUE(is_registered());
    engine::uninstall();
    EXPECT_FALSE(engine::installed());
    EXPECT_FALSE(is_used());
  }
}

TEST(InstallGuard, LastsAsLongAsItLives) {
  {
    const engine::InstallGuard guard;
    {
      const engine::InstallGuard inner;
      EXPECT_TRUE(is_used());
    }
    EXPECT_TRUE(engine::installed());
    EXPECT_TRUE(is_used());
    engine::install();
    engine::uninstall();
    EXPECT_TRUE(is_used());
    engine::install();
  }
  EXPECT_TRUE(is_used());
  engine::uninstall();
  EXPECT_FALSE(is_used());
}

TEST(InstallGuard, IsSeenByOtherThreads) {
  const engine::InstallGuard guard;
  std::thread([] { EXPECT_TRUE(engine::installed()); }).join();
}

/// LibTorch's module with the engine and without, on the same batch; the gradients of all its parameters.
template <class Network>
void expect_same_module(Network network) {
  const auto packed = pack_sequence({torch::randn({2, 3}), torch::randn({5, 3})});
  const auto run = [&] {
    const Tensors outputs = {std::get<0>(network->forward_with_packed_input(packed)).data()};
    auto results = gradients(outputs, network->parameters());
    results.push_back(outputs.front());
    return results;
  };
  const auto plain = run();
  const engine::InstallGuard guard;
  expect_near(run(), plain, 1e-5);
  const torch::NoGradGuard no_grad;
  const MultiplyAdds multiply_adds;
  network->forward_with_packed_input(packed);
  EXPECT_EQ(multiply_adds.count(), 0);
}

TEST(Install, ServesTheModulesOfLibTorch) {
  expect_same_module(torch::nn::LSTM(torch::nn::LSTMOptions(3, 5).num_layers(2).bidirectional(true)));
  expect_same_module(torch::nn::GRU(torch::nn::GRUOptions(3, 5).num_layers(2).bidirectional(true)));
  expect_same_module(torch::nn::RNN(torch::nn::RNNOptions(3, 5).nonlinearity(torch::kReLU)));
  expect_same_module(torch::nn::RNN(torch::nn::RNNOptions(3, 5).nonlinearity(torch::kTanh)));
}

TEST(Install, MayBeDoneWhileOthersRunNetworks) {
  const Recurrent r = {.layers = 2, .bidirectional = true};
  const auto arguments = random_arguments(r, four_lengths).as_variables();
  const auto expected = run(r, arguments);
  const auto expected_gradients = gradients(expected, arguments.all());
  std::atomic<bool> done = false;
  std::thread toggler([&] {
    while (!done) {
      engine::install();
      const engine::InstallGuard guard;
      engine::uninstall();
      std::this_thread::yield();
    }
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 10; ++round) {
        const auto outputs = run(r, arguments);
        expect_near(outputs, expected, 1e-12);
        expect_near(gradients(outputs, arguments.all()), expected_gradients, 1e-10);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  done = true;
  toggler.join();
  EXPECT_FALSE(engine::installed());
}

}  // namespace
}  // namespace packseq::test
