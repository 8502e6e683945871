#include "packseq/data/batch_sampler.hpp"

#include <gtest/gtest.h>
#include <torch/serialize.h>
#include <torch/types.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <tuple>
#include <vector>

#include "support/throws.hpp"

namespace packseq::data {
namespace {

using Batch = std::vector<std::size_t>;
using Batches = std::vector<Batch>;

const std::vector<Batching> batchings = {
    FixedSize{7},
    FixedSize{1000},
    Bucketed{7, 10},
    Bucketed{7},
    TokenBudget{64},
    TokenBudget{.max_tokens = 64, .count = TokenCount::padded},
    TokenBudget{.max_tokens = 64, .count = TokenCount::padded, .documents_per_bucket = 20},
    TokenBudget{.max_tokens = 20, .longer_alone = true},
    TokenBudget{.max_tokens = 20, .count = TokenCount::padded, .longer_alone = true}};

/// Five hundred documents of 0 to 29 tokens, the same each time.
at::Tensor random_lengths() {
  torch::manual_seed(1);
  return torch::randint(0, 30, {500}, torch::kLong);
}

at::Tensor lengths_of(const std::vector<std::int64_t>& lengths) { return torch::tensor(lengths, torch::kLong); }

/// What is left of the epoch that runs.
Batches rest_of_epoch(BatchSampler& sampler) {
  Batches batches;
  while (auto batch = sampler.next()) batches.push_back(*std::move(batch));
  return batches;
}

Batches first_epoch(const at::Tensor& lengths, const Batching& batching, const BatchSamplerOptions& options = {}) {
  BatchSampler sampler(lengths, batching, options);
  return rest_of_epoch(sampler);
}

Batches next_epoch(BatchSampler& sampler) {
  sampler.reset();
  return rest_of_epoch(sampler);
}

/// Their longest document, their tokens, and their cells when padded.
struct Size {
  std::int64_t longest = 0;
  std::int64_t tokens = 0;
  std::int64_t cells = 0;
};

Size size_of(const Batch& batch, const at::Tensor& lengths) {
  Size size;
  for (const std::size_t document : batch) {
    const auto length = lengths[static_cast<std::int64_t>(document)].item<std::int64_t>();
    size.longest = std::max(size.longest, length);
    size.tokens += length;
  }
  size.cells = size.longest * static_cast<std::int64_t>(batch.size());
  return size;
}

TEST(BatchSampler, DealsEveryDocumentOnceInAnEpoch) {
  const auto lengths = random_lengths();
  for (const Batching& batching : batchings) {
    BatchSampler sampler(lengths, batching, {.seed = 1});
    for (int epoch = 0; epoch < 3; ++epoch) {
      std::vector<int> times(500);
      const auto batches = next_epoch(sampler);
      EXPECT_EQ(static_cast<std::int64_t>(batches.size()), sampler.batches());
      for (const auto& batch : batches) {
        EXPECT_FALSE(batch.empty());
        for (const std::size_t document : batch) ++times[document];
      }
      EXPECT_EQ(times, std::vector<int>(500, 1));
    }
  }
}

TEST(BatchSampler, OrderDependsOnSeedAndEpochAlone) {
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

TEST(BatchSampler, GoesOnWhereTrainingWasInterrupted) {
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

TEST(BatchSampler, KeepsTheOrderOfDocumentsThatAreNotShuffled) {
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

/// Buckets in order, and within them documents by length, those of one length in order.
TEST(BatchSampler, KeepsTheOrderOfBucketsThatAreNotShuffled) {
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

TEST(BatchSampler, TheShortBatchOfBucketsComesLastOnRequest) {
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

TEST(BatchSampler, AnEpochThatIsDoneIsFollowedByTheNext) {
  const auto lengths = random_lengths();
  BatchSampler whole(lengths, FixedSize{7});
  next_epoch(whole);
  BatchSampler resumed(lengths, FixedSize{7}, {.start = {0, whole.batches()}});
  EXPECT_TRUE(next_epoch(resumed).empty());
  EXPECT_EQ(next_epoch(resumed), next_epoch(whole));
}

TEST(BatchSampler, CopiesAreOneSampler) {
  BatchSampler kept(random_lengths(), TokenBudget{64});
  BatchSampler given = kept;
  const auto first = kept.fill();
  next_epoch(given);
  next_epoch(given);
  EXPECT_NE(kept.fill(), first);
  EXPECT_FALSE(kept.next());
}

/// Over many epochs each document comes at each place about as often: its mean place is the middle, within six
/// standard deviations of what chance does.
TEST(BatchSampler, OrderIsRandom) {
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

TEST(BatchSampler, BatchesOfFixedSizeAreFullButOne) {
  for (const Batching& batching : {Batching(FixedSize{7}), Batching(Bucketed{7, 10})}) {
    const auto batches = first_epoch(random_lengths(), batching);
    EXPECT_EQ(std::count_if(batches.begin(), batches.end(), [](const auto& batch) { return batch.size() == 7; }), 71);
    EXPECT_EQ(std::count_if(batches.begin(), batches.end(), [](const auto& batch) { return batch.size() == 3; }), 1);
  }
}

TEST(BatchSampler, DocumentsOfABucketedBatchAreNeighboursByLength) {
  const auto lengths = torch::arange(500, torch::kLong);
  for (const auto& batch : first_epoch(lengths, Bucketed{10})) {
    const auto [least, most] = std::minmax_element(batch.begin(), batch.end());
    EXPECT_EQ(*most - *least, 9);
  }
  // With buckets of one batch nothing is sorted beyond it.
  EXPECT_GT(BatchSampler(lengths, Bucketed{10, 10}).fill(), BatchSampler(lengths, Bucketed{10, 1}).fill() + .1);
}

TEST(BatchSampler, NoBatchExceedsItsBudget) {
  const auto lengths = random_lengths();
  for (const std::int64_t budget : {29, 30, 64, 1000}) {
    for (const auto& batch : first_epoch(lengths, TokenBudget{budget})) {
      EXPECT_LE(size_of(batch, lengths).tokens, budget);
    }
    for (const auto& batch : first_epoch(lengths, TokenBudget{budget, TokenCount::padded})) {
      EXPECT_LE(size_of(batch, lengths).cells, budget);
    }
  }
}

/// The next batch's first document would not have fitted.
TEST(BatchSampler, BatchesAreAsFullAsTheBudgetAllows) {
  const auto lengths = random_lengths();
  const auto batches = first_epoch(lengths, TokenBudget{64});
  for (std::size_t i = 0; i + 1 < batches.size(); ++i) {
    const Size both = size_of({batches[i + 1].front()}, lengths);
    EXPECT_GT(size_of(batches[i], lengths).tokens + both.tokens, 64);
  }
  EXPECT_GT(BatchSampler(lengths, TokenBudget{.max_tokens = 640, .count = TokenCount::padded}).fill(), .9);
}

TEST(BatchSampler, LongerDocumentsStandAlone) {
  const auto lengths = lengths_of({3, 90, 2, 4, 70, 1});
  for (const auto count : {TokenCount::packed, TokenCount::padded}) {
    const auto batches = first_epoch(lengths, TokenBudget{.max_tokens = 10, .count = count, .longer_alone = true});
    EXPECT_EQ(std::count(batches.begin(), batches.end(), Batch{1}), 1);
    EXPECT_EQ(std::count(batches.begin(), batches.end(), Batch{4}), 1);
  }
}

TEST(BatchSampler, EmptyDocumentsMakeNoEndlessBatch) {
  for (const auto count : {TokenCount::packed, TokenCount::padded}) {
    const auto batches = first_epoch(torch::zeros({25}, torch::kLong), TokenBudget{.max_tokens = 10, .count = count});
    ASSERT_EQ(batches.size(), 3U);
    for (const auto& batch : batches) EXPECT_LE(batch.size(), 10U);
  }
}

TEST(BatchSampler, FillIsTokensOverCells) {
  const auto lengths = random_lengths();
  for (const Batching& batching : batchings) {
    BatchSampler sampler(lengths, batching, {.seed = 5});
    Size sum;
    for (const auto& batch : next_epoch(sampler)) {
      const Size size = size_of(batch, lengths);
      sum.tokens += size.tokens;
      sum.cells += size.cells;
    }
    EXPECT_DOUBLE_EQ(sampler.fill(), static_cast<double>(sum.tokens) / static_cast<double>(sum.cells));
  }
  EXPECT_EQ(BatchSampler(torch::zeros({3}, torch::kLong), FixedSize{2}).fill(), 1);
}

TEST(BatchSampler, LengthsAndNumbersMayBeHuge) {
  constexpr std::int64_t huge = std::numeric_limits<std::int64_t>::max();
  const auto lengths = lengths_of({huge, 1, huge, 0});
  for (const auto count : {TokenCount::packed, TokenCount::padded}) {
    const TokenBudget budget{.max_tokens = huge, .count = count, .documents_per_bucket = huge};
    EXPECT_GE(first_epoch(lengths, budget).size(), 2U);
  }
  EXPECT_EQ(first_epoch(lengths, FixedSize{huge}).size(), 1U);
  EXPECT_EQ(first_epoch(lengths, Bucketed{huge, huge}).size(), 1U);
}

TEST(BatchSampler, KnowsTheLengthsOfItsDocuments) {
  const BatchSampler sampler(lengths_of({3, 0}), FixedSize{1});
  EXPECT_EQ(sampler.length(0), 3);
  EXPECT_EQ(sampler.length(1), 0);
  EXPECT_THROWS(sampler.length(2), c10::IndexError, "BatchSampler: document is 2, and must be in 0 ... 1");
}

TEST(BatchSampler, RefusesLengthsThatAreNone) {
  EXPECT_THROWS(BatchSampler(torch::ones({2}), FixedSize{1}), c10::TypeError, "lengths");
  EXPECT_THROWS(BatchSampler(torch::ones({2, 1}, torch::kLong), FixedSize{1}), c10::ValueError, "lengths");
  EXPECT_THROWS(BatchSampler(torch::ones({0}, torch::kLong), FixedSize{1}), c10::ValueError, "lengths");
  EXPECT_THROWS(BatchSampler(lengths_of({3, -1}), FixedSize{1}), c10::ValueError, "lengths[1]");
}

TEST(BatchSampler, RefusesNumbersBelowOne) {
  const auto expect_refused = [](const Batching& batching, const std::string& text) {
    EXPECT_THROWS(BatchSampler(lengths_of({3}), batching), c10::ValueError, text);
  };
  expect_refused(FixedSize{0}, "BatchSampler: batch_size is 0, and must be at least 1");
  expect_refused(Bucketed{-1}, "batch_size is -1");
  expect_refused(Bucketed{1, 0}, "batches_per_bucket is 0");
  expect_refused(TokenBudget{0}, "max_tokens is 0");
  expect_refused(TokenBudget{.max_tokens = 3, .documents_per_bucket = 0}, "documents_per_bucket is 0");
}

TEST(BatchSampler, RefusesADocumentOverTheBudget) {
  EXPECT_THROWS(BatchSampler(lengths_of({3, 11}), TokenBudget{10}), c10::ValueError,
                "lengths[1] is 11, more than max_tokens, 10");
}

TEST(BatchSampler, RefusesAStartThatIsNone) {
  const auto expect_refused = [](const Position& start, const std::string& text) {
    EXPECT_THROWS(BatchSampler(lengths_of({3, 3}), FixedSize{1}, {.start = start}), c10::ValueError, text);
  };
  expect_refused({-1, 0}, "start.epoch is -1");
  expect_refused({0, -1}, "start.batches is -1");
  expect_refused({4, 3}, "start.batches is 3, but epoch 4 has 2 batches");
}

TEST(BatchSampler, RefusesALoaderThatMakesBatches) {
  BatchSampler sampler(lengths_of({3, 3}), FixedSize{1});
  EXPECT_THROWS(sampler.next(2), c10::ValueError, "batch_size is 2, and must be left at 1");
  EXPECT_THROWS(sampler.reset(3), c10::ValueError, "new_size is 3, but there are 2 documents");
}

TEST(BatchSampler, RefusesToBeStored) {
  BatchSampler sampler(lengths_of({3}), FixedSize{1});
  torch::serialize::OutputArchive out;
  torch::serialize::InputArchive in;
  EXPECT_THROWS(sampler.save(out), c10::NotImplementedError, "packseq::data::Checkpoint");
  EXPECT_THROWS(sampler.load(in), c10::NotImplementedError, "packseq::data::Checkpoint");
}

}  // namespace
}  // namespace packseq::data
