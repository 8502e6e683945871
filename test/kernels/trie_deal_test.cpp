#include <gtest/gtest.h>

#include <cstddef>
#include <random>
#include <vector>

#include "kernels/plan.hpp"
#include "kernels/trie_batch.hpp"

// Who computes what of a trie.

namespace packseq::kernels {
namespace {

/// Of each node, how often somebody computes it.
std::vector<int> computed_rows(const Plan& plan) {
  std::vector<int> counts(plan.offsets.back());
  const auto add = [&](const Range& share, const Range& steps) {
    for (std::size_t step = steps.begin; step < steps.end; ++step) {
      const Range rows = plan.rows(share, step);
      for (std::size_t row = rows.begin; row < rows.end; ++row) ++counts[row];
    }
  };
  for (const Range& share : plan.shares) add(share, plan.dealt);
  add({0, plan.path_count}, plan.first_shared_steps());
  add({0, plan.path_count}, plan.last_shared_steps());
  return counts;
}

TEST(TrieDeal, ComputesEachNodeOnce) {
  for (const TrieBatch& batch : trie_batches()) {
    for (const std::size_t threads : {1U, 2U, 3U, 8U}) {
      for (const std::size_t weight_bytes : {std::size_t{0}, std::size_t{64} << 20}) {
        const PlanOptions options = {.threads = threads, .weight_bytes = weight_bytes};
        EXPECT_EQ(computed_rows(make_plan(batch.node_batch_sizes, options, batch.paths)),
                  std::vector<int>(batch.paths.size(), 1));
        std::vector<int> counts(batch.paths.size());
        for (const Plan& part : make_plans(batch.node_batch_sizes, options, 20, batch.paths)) {
          const auto of_part = computed_rows(part);
          for (std::size_t row = 0; row < counts.size(); ++row) counts[row] += of_part[row];
        }
        EXPECT_EQ(counts, std::vector<int>(batch.paths.size(), 1));
      }
    }
  }
}

TEST(TrieDeal, KnowsWhereRowsGoOnFrom) {
  for (const TrieBatch& batch : trie_batches()) {
    const Plan plan = make_plan(batch.node_batch_sizes, {}, batch.paths);
    for (std::size_t row = plan.offsets[1]; row < batch.paths.size(); ++row) {
      ASSERT_EQ(plan.before[row], batch.parents[row]);
    }
  }
}

TEST(TrieDeal, IsDealtEvenlyWhereItBranches) {
  std::mt19937 random(0);
  for (const std::size_t threads : {2U, 4U}) {
    std::vector<Document> documents = random_documents(random, 200, 30, 4);
    for (Document& document : documents) document.insert(document.begin(), 10, 3);  // which all have in common
    const TrieBatch batch(documents);
    const Plan plan = make_plan(batch.node_batch_sizes, {.threads = threads}, batch.paths);
    ASSERT_EQ(plan.shares.size(), threads);
    EXPECT_GE(plan.dealt.begin, 10U);
    EXPECT_LE(plan.dealt.begin, 14U);
    for (const Range& share : plan.shares) {
      std::size_t rows = 0;
      for (std::size_t step = plan.dealt.begin; step < plan.dealt.end; ++step) rows += plan.rows(share, step).size();
      EXPECT_NEAR(static_cast<double>(rows * threads), static_cast<double>(batch.paths.size()),
                  .1 * static_cast<double>(batch.paths.size()));
    }
  }
}

}  // namespace
}  // namespace packseq::kernels
