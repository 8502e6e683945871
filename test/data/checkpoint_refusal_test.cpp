// What a checkpoint refuses to load or to save, and that nothing changes then.

#include <torch/version.h>

#include <filesystem>
#include <utility>

#include "data/checked_file.hpp"
#include "data/checkpoint_fixture.hpp"

namespace packseq::data {
namespace {

namespace fs = std::filesystem;

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

}  // namespace
}  // namespace packseq::data
