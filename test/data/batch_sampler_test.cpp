#include "packseq/data/batch_sampler.hpp"

#include <gtest/gtest.h>
#include <torch/serialize.h>
#include <torch/types.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "data/epochs.hpp"
#include "support/throws.hpp"

namespace packseq::data {
namespace {

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

/// Buckets in order, and within them documents by length, those of one length in order.
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
