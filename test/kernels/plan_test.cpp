#include "kernels/plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <random>
#include <vector>

namespace packseq::kernels {
namespace {

using Lengths = std::vector<std::int64_t>;

/// Of sequences of these lengths, the longest first.
std::vector<std::int64_t> batch_sizes(const Lengths& lengths) {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(lengths.front()));
  for (std::size_t step = 0; step < sizes.size(); ++step) {
    sizes[step] = std::ranges::count_if(lengths, [&](auto length) { return length > static_cast<std::int64_t>(step); });
  }
  return sizes;
}

Lengths random_batch(std::mt19937& random) {
  Lengths lengths(std::uniform_int_distribution<std::size_t>(1, 80)(random));
  const auto longest = std::uniform_int_distribution<std::int64_t>(1, 50)(random);
  for (auto& length : lengths) length = std::uniform_int_distribution<std::int64_t>(1, longest)(random);
  std::ranges::sort(lengths, std::greater());
  return lengths;
}

/// The tokens of a share in the steps that are dealt.
std::size_t tokens(const Plan& plan, const Range& share) {
  std::size_t sum = 0;
  for (std::size_t step = 0; step < plan.dealt.end; ++step) sum += plan.rows(share, step).size();
  return sum;
}

/// Shares are ranges that follow each other, none of them empty, and make up all ranks.
void expect_covers_every_rank(const Plan& plan) {
  std::size_t next = 0;
  for (const Range& share : plan.shares) {
    EXPECT_EQ(share.begin, next);
    EXPECT_GT(share.end, share.begin);
    next = share.end;
  }
  EXPECT_EQ(next, plan.dealt.end > 0 ? plan.batch_sizes.front() : 0);
}

TEST(Plan, KnowsWhereStepsBegin) {
  const auto plan = make_plan(std::vector<std::int64_t>{3, 2, 2, 1}, {});
  EXPECT_EQ(std::vector(plan.batch_sizes.begin(), plan.batch_sizes.end()), (std::vector<std::size_t>{3, 2, 2, 1}));
  EXPECT_EQ(std::vector(plan.offsets.begin(), plan.offsets.end()), (std::vector<std::size_t>{0, 3, 5, 7, 8}));
  EXPECT_EQ(plan.steps(), 4U);
  EXPECT_EQ(plan.rows().size(), 8U);
  EXPECT_EQ(plan.rows({1, 3}, 0), (Range{1, 3}));
  EXPECT_EQ(plan.rows({1, 3}, 1), (Range{4, 5}));
  EXPECT_EQ(plan.rows({1, 3}, 3).size(), 0U);
}

TEST(Plan, DealsEveryRankOnceAndEvenly) {
  std::mt19937 random(0);
  for (int round = 0; round < 500; ++round) {
    const auto lengths = random_batch(random);
    const std::size_t threads = std::uniform_int_distribution<std::size_t>(1, 9)(random);
    const auto plan = make_plan(batch_sizes(lengths), {.threads = threads});
    ASSERT_EQ(plan.dealt, plan.range);
    expect_covers_every_rank(plan);
    EXPECT_LE(plan.shares.size(), threads);
    for (const Range& share : plan.shares) {
      // A step of a single sequence takes as long as one of two and a half.
      EXPECT_LE(tokens(plan, share), 5 * (plan.rows().size() / threads + 1) / 2 + 2 * plan.steps())
          << "threads " << threads << ", sequences " << share.begin << " ... " << share.end;
    }
  }
}

TEST(Plan, DealsEqualSequencesEqually) {
  for (const std::size_t threads : {1U, 2U, 3U, 5U, 8U}) {
    const auto plan = make_plan(batch_sizes(Lengths(120, 7)), {.threads = threads});
    ASSERT_EQ(plan.shares.size(), threads);
    for (const Range& share : plan.shares) EXPECT_EQ(share.size(), 120 / threads);
  }
}

TEST(Plan, GivesEachDirectionSharesOfItsOwn) {
  const auto sizes = batch_sizes(Lengths(16, 7));
  EXPECT_EQ(make_plan(sizes, {.threads = 4, .directions = 2}).shares.size(), 2U);
  EXPECT_EQ(make_plan(sizes, {.threads = 5, .directions = 2}).shares.size(), 2U);
  EXPECT_EQ(make_plan(sizes, {.threads = 1, .directions = 2}).shares.size(), 1U);
}

TEST(Plan, HasNoMoreSharesThanSequences) {
  const auto plan = make_plan(batch_sizes({5, 3}), {.threads = 8});
  expect_covers_every_rank(plan);
  EXPECT_LE(plan.shares.size(), 2U);
}

TEST(Plan, SharesTheStepsOfFewSequencesWhereThereAreManyWeights) {
  std::mt19937 random(0);
  for (int round = 0; round < 200; ++round) {
    const auto lengths = random_batch(random);
    const std::size_t threads = std::uniform_int_distribution<std::size_t>(2, 9)(random);
    const auto plan = make_plan(batch_sizes(lengths), {.threads = threads, .weight_bytes = 64 << 20});
    EXPECT_EQ(plan.team, threads);
    expect_covers_every_rank(plan);
    for (std::size_t step = 0; step < plan.steps(); ++step) {
      if (step < plan.dealt.end) {
        EXPECT_GE(plan.batch_sizes[step], threads);
      } else {
        EXPECT_LE(plan.batch_sizes[step], 6 * threads);
      }
    }
    EXPECT_EQ(make_plan(batch_sizes(lengths), {.threads = 1, .weight_bytes = 64 << 20}).dealt.end, plan.steps());
  }
  EXPECT_EQ(make_plan(std::vector<std::int64_t>{1, 1}, {.threads = 2, .weight_bytes = 64 << 20}).dealt.end, 0U);
}

TEST(Plan, TakesTenThousandSteps) {
  const auto one = make_plan(batch_sizes({10'000}), {.threads = 4});
  ASSERT_EQ(one.shares.size(), 1U);
  EXPECT_EQ(tokens(one, one.shares.front()), 10'000U);
  Lengths lengths(65, 10);
  lengths.front() = 10'000;
  const auto outlier = make_plan(batch_sizes(lengths), {.threads = 2});
  expect_covers_every_rank(outlier);
  EXPECT_EQ(outlier.shares.size(), 2U);
  EXPECT_EQ(outlier.shares.front().size(), 1U);  // nobody else waits for the long one
}

}  // namespace
}  // namespace packseq::kernels
