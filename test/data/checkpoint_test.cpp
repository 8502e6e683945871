#include "packseq/data/checkpoint.hpp"

#include <chrono>
#include <limits>

#include "data/checkpoint_fixture.hpp"
#include "support/full_disk.hpp"
#include "support/killed.hpp"

namespace packseq::data {
namespace {

using test::devices;

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

TEST_F(CheckpointTest, GivesTheWeightsAlone) {
  for (const auto device : devices()) {
    Training training(adam, device);
    training.run(3);
    checkpoint(training).save({});
    const auto weights = Checkpoint::weights(file_);
    for (const auto& entry : weights) EXPECT_TRUE(entry.value().is_cpu());
    Training other(optimizers[0]);
    nn::load_state_dict(*other.model, weights);
    expect_same_weights(*other.model, *training.model);
  }
  EXPECT_THROWS(Checkpoint::weights(file_.string() + "x"), std::runtime_error, "x: cannot be read");
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

TEST_F(CheckpointTest, LeavesTheOldFileIfSavingFails) {
  const std::string whole = saved();
  Training training(adam);
  {
    const test::FullDisk full_disk(1000);
    EXPECT_THAT([&] { checkpoint(training).save({}); },
                ::testing::ThrowsMessage<std::runtime_error>(file_.string() + ": cannot be written (File too large)"));
  }
  EXPECT_EQ(content(), whole);
  expect_files(1);
}

TEST_F(CheckpointTest, CanBeLoadedHoweverSavingIsKilled) {
  Training training(adam);
  training.run(1);
  Progress progress{};
  const auto start = std::chrono::steady_clock::now();
  checkpoint(training).save(progress);
  const auto time_of_saving = std::chrono::steady_clock::now() - start;
  // Until it was certainly killed while it saved, not only before; on a busy machine that takes longer.
  for (int kill_after = 0; kill_after < 40 || progress.position.batches <= 10; ++kill_after) {
    ASSERT_LT(kill_after, 400);
    test::do_until_killed(kill_after * time_of_saving / 10, [&] {
      ++progress.position.batches;
      checkpoint(training).save(progress);
    });
    const Progress found = checkpoint(training).load();
    EXPECT_GE(found.position.batches, progress.position.batches);
    progress = found;
  }
}

}  // namespace
}  // namespace packseq::data
