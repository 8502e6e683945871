#include "packseq/data/checkpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <torch/nn.h>
#include <torch/optim.h>
#include <torch/version.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <thread>

#include "data/checked_file.hpp"
#include "packseq/nn/state_dict.hpp"
#include "support/full_disk.hpp"
#include "support/sequences.hpp"

namespace packseq::data {
namespace {

namespace fs = std::filesystem;
namespace optim = torch::optim;
using test::devices;
using Parameters = std::vector<at::Tensor>;
using MakeOptimizer = std::function<std::unique_ptr<optim::Optimizer>(const Parameters&)>;

/// Makes an optimizer of this kind for some parameters.
template <class Optimizer, class Options>
MakeOptimizer make(const Options& options) {
  return [options](const Parameters& parameters) { return std::make_unique<Optimizer>(parameters, options); };
}

const std::vector<MakeOptimizer> optimizers = {
    make<optim::SGD>(optim::SGDOptions(.05)),
    make<optim::SGD>(optim::SGDOptions(.05).momentum(.9)),
    make<optim::Adam>(optim::AdamOptions(.01)),
    make<optim::AdamW>(optim::AdamWOptions(.01).amsgrad(true)),
    make<optim::Adagrad>(optim::AdagradOptions(.05)),
    make<optim::RMSprop>(optim::RMSpropOptions(.01).momentum(.5).centered(true)),
    make<optim::LBFGS>(optim::LBFGSOptions(.1).max_iter(3))};
const MakeOptimizer adam = optimizers[2];

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

void expect_same_weights(torch::nn::Module& actual, torch::nn::Module& expected) {
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

void expect_same(const Snapshot& actual, const Snapshot& expected) {
  ASSERT_EQ(actual.tensors.size(), expected.tensors.size());
  for (std::size_t i = 0; i < actual.tensors.size(); ++i) EXPECT_SAME(actual.tensors[i], expected.tensors[i]);
  EXPECT_EQ(actual.state, expected.state);
  EXPECT_EQ(actual.learning_rate, expected.learning_rate);
}

/// Each test has a directory of its own.
class CheckpointTest : public ::testing::Test {
 protected:
  const fs::path directory_ = fs::path(::testing::TempDir()) / "packseq_checkpoint_test";
  const fs::path file_ = directory_ / "model.checkpoint";

  void SetUp() override {
    fs::remove_all(directory_);
    fs::create_directory(directory_);
    at::manual_seed(1);
  }

  void TearDown() override { fs::remove_all(directory_); }

  Checkpoint checkpoint(Training& training) const { return {file_, *training.model, *training.optimizer}; }

  std::string content() const {
    std::ifstream stream(file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  void write(const std::string& bytes) const { std::ofstream(file_, std::ios::binary) << bytes; }

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

TEST_F(CheckpointTest, GoesOnAsIfItHadNeverStopped) {
  for (const auto device : devices()) {
    for (const auto& make_optimizer : optimizers) {
      for (const int steps_before : {0, 3}) {
        Training whole(make_optimizer, device);
        whole.run(10);
        checkpoint(whole).save({.seed = 3, .position = {.epoch = 4, .batches = 5}});
        whole.run(10);

        Training resumed(make_optimizer, device);
        resumed.run(steps_before);
        const Progress progress = checkpoint(resumed).load();
        EXPECT_EQ(progress.seed, 3U);
        EXPECT_EQ(progress.position.epoch, 4);
        EXPECT_EQ(progress.position.batches, 5);
        resumed.run(10);
        expect_same_weights(*resumed.model, *whole.model);
      }
    }
  }
}

TEST_F(CheckpointTest, ForgetsWhatAnOptimizerHasLearntSinceABeginning) {
  Training whole(adam);
  checkpoint(whole).save({});
  whole.run(5);
  Training resumed(adam);
  resumed.run(3);
  checkpoint(resumed).load();
  resumed.run(5);
  expect_same_weights(*resumed.model, *whole.model);
}

TEST_F(CheckpointTest, HoldsTheOptionsOfTheOptimizer) {
  Training training(adam);
  training.optimizer->param_groups()[0].options().set_lr(.25);
  checkpoint(training).save({});
  Training other(adam);
  checkpoint(other).load();
  EXPECT_EQ(other.optimizer->param_groups()[0].options().get_lr(), .25);
}

TEST_F(CheckpointTest, HoldsAnyNumbersOfProgress) {
  Training training(adam);
  const auto largest = std::numeric_limits<std::int64_t>::max();
  checkpoint(training).save({.seed = std::numeric_limits<std::uint64_t>::max(), .position = {largest, largest}});
  const Progress progress = checkpoint(training).load();
  EXPECT_EQ(progress.seed, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(progress.position.epoch, largest);
  EXPECT_EQ(progress.position.batches, largest);
}

TEST_F(CheckpointTest, MovesToAnotherDevice) {
  for (const auto from : devices()) {
    for (const auto to : devices()) {
      Training training(adam, from);
      training.run(3);
      checkpoint(training).save({});
      Training other(adam, to);
      checkpoint(other).load();
      expect_same_weights(*other.model, *training.model);
      other.run(3);  // its optimizer has moved with it
    }
  }
}

TEST_F(CheckpointTest, ExistsOnceItIsSaved) {
  Training training(adam);
  EXPECT_FALSE(checkpoint(training).exists());
  checkpoint(training).save({});
  EXPECT_TRUE(checkpoint(training).exists());
}

TEST_F(CheckpointTest, RefusesAFileThatCannotBeRead) {
  Training training(adam);
  expect_refused<std::runtime_error>(*training.model, *training.optimizer,
                                     "cannot be read (No such file or directory)");
  fs::create_directory(file_);
  expect_refused<std::runtime_error>(*training.model, *training.optimizer, "cannot be read (it is no regular file)");
}

TEST_F(CheckpointTest, RefusesAFileThatIsNoCheckpoint) {
  Training training(adam);
  expect_bad_file(training, "PK\3\4", "is no checkpoint: it does not begin with 'packseq checkpoint '");
  expect_bad_file(training, "packseq vocabulary 1\n", "is no checkpoint");
  expect_bad_file(training, "packseq checkpoint 2\nanything",
                  "is a checkpoint of another version, and must be of version 1");
}

TEST_F(CheckpointTest, RefusesAFileThatIsCutShortAnywhere) {
  const std::string whole = saved();
  Training training(adam);
  training.run(1);
  for (std::size_t size = 0; size < 37; ++size) {
    expect_bad_file(training, whole.substr(0, size),
                    "is cut short: it has " + std::to_string(size) + " bytes, and a checkpoint at least 37");
  }
  const auto content_size = std::to_string(whole.size() - 37);
  for (std::size_t size = 37; size < whole.size(); size += 97) {
    expect_bad_file(training, whole.substr(0, size),
                    "is cut short: its content has " + std::to_string(size - 37) + " bytes of " + content_size);
  }
  expect_bad_file(training, whole.substr(0, whole.size() - 1), "is cut short: its content has ");
}

TEST_F(CheckpointTest, RefusesAFileThatIsLongerThanWritten) {
  const std::string whole = saved();
  Training training(adam);
  const std::size_t size = whole.size() - 37;
  expect_bad_file(
      training, whole + '\0',
      "is longer than written: its content has " + std::to_string(size + 1) + " bytes of " + std::to_string(size));
}

TEST_F(CheckpointTest, RefusesAFileThatIsAlteredAnywhere) {
  const std::string whole = saved();
  Training training(adam);
  training.run(1);
  for (std::size_t at = 0; at < whole.size(); at += at < 37 ? 1 : 97) {
    for (const int change : {1, 32, 128}) {
      std::string altered = whole;
      altered[at] = static_cast<char>(altered[at] ^ change);
      expect_bad_file(training, altered, at < 29 ? "is " : "is altered: its checksum is not that of what was written");
    }
  }
  write(whole);
  checkpoint(training).load();
}

TEST_F(CheckpointTest, RefusesWhatLibTorchCannotRead) {
  Training training(adam);
  detail::write_checked_file(file_, "no archive");
  expect_refused<std::runtime_error>(*training.model, *training.optimizer,
                                     "LibTorch " TORCH_VERSION " cannot read it: ");
}

TEST_F(CheckpointTest, RefusesAnotherModel) {
  saved();
  torch::nn::Sequential other(torch::nn::Linear(4, 9), torch::nn::BatchNorm1d(8), torch::nn::Linear(8, 2));
  other->to(at::kDouble);
  optim::Adam optimizer(other->parameters());
  expect_refused<c10::ValueError>(*other, optimizer, "load_state_dict: nothing is loaded, since state does not fit");
  for (const std::string text :
       {"0.weight has sizes [8, 4], and must be [9, 4]", "0.weight is Float, and must be Double", "2.weight is missing",
        "3.weight is left over"}) {
    EXPECT_THROWS(Checkpoint(file_, *other, optimizer).load(), c10::ValueError, text);
  }
}

TEST_F(CheckpointTest, RefusesAnotherOptimizer) {
  saved();
  Training training(optimizers[0]);
  expect_refused<c10::ValueError>(*training.model, *training.optimizer,
                                  "the optimizer is a torch::optim::SGD, and must be a torch::optim::Adam");
}

TEST_F(CheckpointTest, RefusesOtherGroups) {
  saved();
  Training training(adam);
  auto parameters = training.model->parameters();
  const Parameters first(parameters.begin(), parameters.begin() + 2);
  const Parameters rest(parameters.begin() + 2, parameters.end());
  optim::Adam two(std::vector<optim::OptimizerParamGroup>{first, rest});
  expect_refused<c10::ValueError>(*training.model, two, "the optimizer has 2 groups of parameters, and must have 1");
  optim::Adam fewer(first);
  expect_refused<c10::ValueError>(*training.model, fewer,
                                  "the optimizer's group 0 has the parameters 0.weight 0.bias, and must have "
                                  "0.weight 0.bias 1.weight 1.bias 3.weight 3.bias");
  std::swap(parameters[0], parameters[1]);
  optim::Adam swapped(parameters);
  expect_refused<c10::ValueError>(*training.model, swapped,
                                  "the optimizer's group 0 has the parameters 0.bias 0.weight 1.weight");
}

TEST_F(CheckpointTest, RefusesParametersThatAreNotTheModels) {
  Training training(adam);
  Training other(adam);
  EXPECT_THROWS(Checkpoint(file_, *training.model, *other.optimizer).save({}), c10::ValueError,
                "Checkpoint: parameter 0 of the optimizer's group 0, [8, 4], is none of the model's");
  checkpoint(training).save({});
  EXPECT_THROWS(Checkpoint(file_, *training.model, *other.optimizer).load(), c10::ValueError, "is none of the model's");
}

/// Two layers, or one under two names.
struct Twins : torch::nn::Module {
  torch::nn::Linear first{2, 2};
  explicit Twins(bool one) {
    register_module("first", first);
    register_module("second", one ? first : torch::nn::Linear(2, 2));
  }
  void train_once(optim::Optimizer& optimizer) {
    first(torch::ones({1, 2})).sum().backward();
    optimizer.step();
  }
};

TEST_F(CheckpointTest, ChangesNothingIfTheWeightsFailAtLast) {
  Twins two(false);
  optim::Adam optimizer(two.first->parameters(), .5);
  two.train_once(optimizer);
  Checkpoint(file_, two, optimizer).save({});
  Twins one(true);
  optim::Adam other(one.first->parameters(), .25);
  one.train_once(other);
  expect_refused<c10::ValueError>(one, other, "load_state_dict: nothing is loaded");
  EXPECT_EQ(other.state().size(), 2U);
}

TEST_F(CheckpointTest, LeavesTheOldFileIfSavingFails) {
  const std::string whole = saved();
  Training training(adam);
  {
    const test::FullDisk full_disk(1000);
    EXPECT_THAT([&] { checkpoint(training).save({}); },
                ::testing::ThrowsMessage<std::runtime_error>(file_.string() + ": cannot be written (File too large)"));
  }
  EXPECT_EQ(content(), whole);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_), fs::directory_iterator()), 1);
}

TEST_F(CheckpointTest, RefusesWhatCannotBeWritten) {
  Training training(adam);
  const auto missing = directory_ / "none" / "model.checkpoint";
  EXPECT_THAT([&] { Checkpoint(missing, *training.model, *training.optimizer).save({}); },
              ::testing::ThrowsMessage<std::runtime_error>(missing.string() +
                                                           ": cannot be written (No such file or directory)"));
  EXPECT_THAT([&] { Checkpoint(directory_, *training.model, *training.optimizer).save({}); },
              ::testing::ThrowsMessage<std::runtime_error>(directory_.string() +
                                                           ": cannot be written (it is no regular file)"));
}

TEST_F(CheckpointTest, CanBeLoadedHoweverSavingIsKilled) {
  Training training(adam);
  training.run(1);
  Progress progress{};
  checkpoint(training).save(progress);
  for (int kill_after = 0; kill_after < 40; ++kill_after) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      while (true) {
        ++progress.position.batches;
        checkpoint(training).save(progress);
      }
    }
    std::this_thread::sleep_for(std::chrono::microseconds(500 * kill_after));
    kill(child, SIGKILL);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
    const Progress found = checkpoint(training).load();
    EXPECT_GE(found.position.batches, progress.position.batches);
    progress = found;
  }
  EXPECT_GT(progress.position.batches, 10);  // it was killed while it saved, not before
}

}  // namespace
}  // namespace packseq::data
