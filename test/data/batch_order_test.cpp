// The order in which documents come and batches are dealt: random, resumed, or that of the dataset.

#include <gtest/gtest.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <tuple>
#include <vector>

#include "data/epochs.hpp"
#include "packseq/data/batch_sampler.hpp"

namespace packseq::data {
namespace {

TEST(BatchOrder, OrderDependsOnSeedAndEpochAlone) {
  const auto lengths = random_lengths();
  for (const Batching& batching : batchings) {
    BatchSampler sampler(lengths, batching, {.seed = 1});
    BatchSampler same(lengths, batching, {.seed = 1});
    const auto first = next_epoch(sampler);
    EXPECT_EQ(next_epoch(same), first);
    EXPECT_NE(first_epoch(lengths, batching, {.seed = 2}), first);
    const auto second = next_epoch(sampler);
    EXPECT_NE(second, first);
    EXPECT_EQ(next_epoch(same), second);
    EXPECT_EQ(first_epoch(lengths, batching, {.seed = 1, .start = {.epoch = 1}}), second);
  }
}

TEST(BatchOrder, GoesOnWhereTrainingWasInterrupted) {
  const auto lengths = random_lengths();
  for (const bool shuffle : {true, false}) {
    for (const Batching& batching : batchings) {
      BatchSampler whole(lengths, batching, {.seed = 3, .shuffle = shuffle});
      next_epoch(whole);
      const auto second = next_epoch(whole);
      const auto third = next_epoch(whole);
      for (const std::int64_t done : {std::int64_t{0}, std::int64_t{1}, whole.batches() / 2}) {
        BatchSampler resumed(lengths, batching, {.seed = 3, .start = {1, done}, .shuffle = shuffle});
        EXPECT_EQ(next_epoch(resumed), Batches(second.begin() + done, second.end()));
        EXPECT_EQ(next_epoch(resumed), third);
      }
    }
  }
}

/// The documents of all batches, end to end.
Batch joined(const Batches& batches) {
  Batch all;
  for (const auto& batch : batches) all.insert(all.end(), batch.begin(), batch.end());
  return all;
}

TEST(BatchOrder, KeepsTheOrderOfDocumentsThatAreNotShuffled) {
  const auto lengths = random_lengths();
  Batch expected(500);
  std::iota(expected.begin(), expected.end(), std::size_t{0});
  for (const Batching& batching :
       std::vector<Batching>{FixedSize{7}, FixedSize{1000}, TokenBudget{64}, TokenBudget{20, {}, true}}) {
    BatchSampler sampler(lengths, batching, {.seed = 1, .shuffle = false});
    const auto first = next_epoch(sampler);
    EXPECT_EQ(joined(first), expected);
    EXPECT_EQ(next_epoch(sampler), first);
    EXPECT_EQ(first_epoch(lengths, batching, {.seed = 2, .shuffle = false}), first);
  }
}

TEST(BatchOrder, KeepsTheOrderOfBucketsThatAreNotShuffled) {
  const auto lengths = random_lengths();
  const auto* const length = lengths.const_data_ptr<std::int64_t>();
  const auto sorted_runs = [length](std::size_t bucket) {
    Batch order(500);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [length, bucket](std::size_t a, std::size_t b) {
      return std::tuple(a / bucket, length[a], a) < std::tuple(b / bucket, length[b], b);
    });
    return order;
  };
  for (const std::int64_t bucket : {1, 2, 10, 1000}) {
    const auto batches = first_epoch(lengths, Bucketed{7, bucket}, {.shuffle = false});
    EXPECT_EQ(joined(batches), sorted_runs(7 * static_cast<std::size_t>(bucket)));
    EXPECT_EQ(batches.back().size(), 3U);  // the short one
  }
  const TokenBudget budget{.max_tokens = 64, .count = TokenCount::padded, .documents_per_bucket = 20};
  EXPECT_EQ(joined(first_epoch(lengths, budget, {.shuffle = false})), sorted_runs(20));
}

TEST(BatchOrder, TheShortBatchOfBucketsComesLastOnRequest) {
  BatchSampler sampler(random_lengths(), Bucketed{.batch_size = 7, .batches_per_bucket = 10, .short_last = true});
  BatchSampler anywhere(random_lengths(), Bucketed{7, 10});
  std::size_t last = 0;
  Batches first;
  for (int epoch = 0; epoch < 30; ++epoch) {
    const auto batches = next_epoch(sampler);
    EXPECT_EQ(batches.back().size(), 3U);
    if (epoch == 0) first = batches;
    last += next_epoch(anywhere).back().size() == 3;
  }
  EXPECT_LT(last, 10U);
  EXPECT_NE(next_epoch(sampler), first);
  // Without a short one, the last batch is any.
  const auto lengths = torch::arange(50, torch::kLong);
  Batches of_epochs;
  for (int epoch = 0; epoch < 30; ++epoch) {
    of_epochs.push_back(first_epoch(lengths, Bucketed{10, 5, true}, {.start = {epoch, 0}}).back());
  }
  EXPECT_GT(std::count_if(of_epochs.begin(), of_epochs.end(), [](const auto& batch) { return batch.front() != 40; }),
            9);
}

/// Else who leaves it out would never see the longest documents.
TEST(BatchOrder, TheShortBatchIsAnyOfTheLastBucket) {
  constexpr int epochs = 200;
  const auto lengths = torch::arange(67, torch::kLong);
  for (const std::int64_t bucket : {1, 4, 100}) {  // the last one is of 1, of 3 or of 7 batches
    BatchSampler sampler(lengths, Bucketed{10, bucket, true});
    std::vector<int> times(7);
    for (int epoch = 0; epoch < epochs; ++epoch) {
      const auto batches = next_epoch(sampler);
      ASSERT_EQ(batches.size(), 7U);
      EXPECT_EQ(batches.back().size(), 7U);
      if (bucket < 100) continue;
      for (const auto& batch : batches) EXPECT_EQ(batch.back() - batch.front() + 1, batch.size());
      ++times[batches.back().front() / 10];
    }
    if (bucket < 100) continue;
    for (const int count : times) EXPECT_NEAR(count, epochs / 7., 6 * std::sqrt(epochs * 6. / 49));
  }
}

TEST(BatchOrder, AnEpochThatIsDoneIsFollowedByTheNext) {
  const auto lengths = random_lengths();
  BatchSampler whole(lengths, FixedSize{7});
  next_epoch(whole);
  BatchSampler resumed(lengths, FixedSize{7}, {.start = {0, whole.batches()}});
  EXPECT_TRUE(next_epoch(resumed).empty());
  EXPECT_EQ(next_epoch(resumed), next_epoch(whole));
}

TEST(BatchOrder, OrderIsRandom) {
  constexpr int epochs = 400;
  const auto lengths = torch::arange(20, torch::kLong);
  for (const Batching& batching : {Batching(FixedSize{1}), Batching(Bucketed{1, 20}), Batching(TokenBudget{19})}) {
    BatchSampler sampler(lengths, batching);
    std::vector<double> places(20);
    for (int epoch = 0; epoch < epochs; ++epoch) {
      double place = 0;
      for (const auto& batch : next_epoch(sampler)) {
        for (const std::size_t document : batch) places[document] += place++;
      }
    }
    for (const double sum : places) EXPECT_NEAR(sum / epochs, 9.5, 6 * 5.77 / 20);
  }
}

}  // namespace
}  // namespace packseq::data
