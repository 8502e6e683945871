#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn.h>
#include <torch/optim.h>

#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "packseq/data/checkpoint.hpp"
#include "packseq/nn/state_dict.hpp"
#include "support/directory.hpp"
#include "support/sequences.hpp"

namespace packseq::data {

namespace optim = torch::optim;
using Parameters = std::vector<at::Tensor>;
using MakeOptimizer = std::function<std::unique_ptr<optim::Optimizer>(const Parameters&)>;

/// Makes an optimizer of this kind for some parameters.
template <class Optimizer, class Options>
MakeOptimizer make(const Options& options) {
  return [options](const Parameters& parameters) { return std::make_unique<Optimizer>(parameters, options); };
}

inline const std::vector<MakeOptimizer> optimizers = {
    make<optim::SGD>(optim::SGDOptions(.05)),
    make<optim::SGD>(optim::SGDOptions(.05).momentum(.9)),
    make<optim::Adam>(optim::AdamOptions(.01)),
    make<optim::AdamW>(optim::AdamWOptions(.01).amsgrad(true)),
    make<optim::Adagrad>(optim::AdagradOptions(.05)),
    make<optim::RMSprop>(optim::RMSpropOptions(.01).momentum(.5).centered(true)),
    make<optim::LBFGS>(optim::LBFGSOptions(.1).max_iter(3))};
inline const MakeOptimizer adam = optimizers[2];

/// A network in training: dropout and input take random numbers, and BatchNorm has buffers.
struct Training {
  torch::nn::Sequential model{torch::nn::Linear(4, 8), torch::nn::BatchNorm1d(8), torch::nn::Dropout(.5),
                              torch::nn::Linear(8, 2)};
  c10::Device device;
  std::unique_ptr<optim::Optimizer> optimizer;

  explicit Training(const MakeOptimizer& make_optimizer, c10::Device on = at::kCPU) : device(on) {
    model->to(device);
    optimizer = make_optimizer(model->parameters());
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      const auto input = torch::randn({6, 4}, device);
      optimizer->step([&] {
        optimizer->zero_grad();
        auto loss = model->forward(input).square().mean();
        loss.backward();
        return loss;
      });
    }
  }
};

inline void expect_same_weights(torch::nn::Module& actual, torch::nn::Module& expected) {
  const auto state = nn::state_dict(actual);
  for (const auto& entry : nn::state_dict(expected)) EXPECT_SAME(state[entry.key()].cpu(), entry.value().cpu());
}

/// All that `load` may change.
struct Snapshot {
  std::vector<at::Tensor> tensors;
  std::map<void*, optim::OptimizerParamState*> state;
  double learning_rate;

  explicit Snapshot(torch::nn::Module& model, optim::Optimizer& optimizer)
      : tensors{at::globalContext().defaultGenerator(at::kCPU).get_state()},
        learning_rate(optimizer.param_groups()[0].options().get_lr()) {
    for (const auto& entry : nn::state_dict(model)) tensors.push_back(entry.value().clone());
    for (const auto& [parameter, parameter_state] : optimizer.state()) state[parameter] = parameter_state.get();
  }
};

inline void expect_same(const Snapshot& actual, const Snapshot& expected) {
  ASSERT_EQ(actual.tensors.size(), expected.tensors.size());
  for (std::size_t i = 0; i < actual.tensors.size(); ++i) EXPECT_SAME(actual.tensors[i], expected.tensors[i]);
  EXPECT_EQ(actual.state, expected.state);
  EXPECT_EQ(actual.learning_rate, expected.learning_rate);
}

class CheckpointTest : public test::DirectoryTest {
 protected:
  CheckpointTest() : DirectoryTest("packseq_checkpoint_test", "model.checkpoint") { at::manual_seed(1); }

  Checkpoint checkpoint(Training& training) const { return {file_, *training.model, *training.optimizer}; }

  /// The content of a checkpoint of a network that is trained a little.
  std::string saved() const {
    Training training(adam);
    training.run(2);
    checkpoint(training).save({});
    return content();
  }

  /// `load` must fail with this text behind the file's name, and change nothing.
  template <class Error>
  void expect_refused(torch::nn::Module& model, optim::Optimizer& optimizer, const std::string& text) const {
    const Snapshot before(model, optimizer);
    try {
      Checkpoint(file_, model, optimizer).load();
      ADD_FAILURE() << "is loaded, but must not be: " << text;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr(file_.string() + ": " + text));
    }
    expect_same(Snapshot(model, optimizer), before);
  }

  void expect_bad_file(Training& training, const std::string& bytes, const std::string& text) const {
    write(bytes);
    expect_refused<std::runtime_error>(*training.model, *training.optimizer, text);
  }
};

}  // namespace packseq::data
