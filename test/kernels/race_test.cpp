#include <gtest/gtest.h>

#include <vector>

#include "kernels/crf_batch.hpp"
#include "kernels/two_directions.hpp"

// Many threads compute the same numbers as one, without races that a sanitizer of threads could see.

namespace packseq::kernels {
namespace {

template <class T>
void expect_none(const std::vector<Case>& cases) {
  const auto results_on = [](std::size_t threads, const Case& of) {
    TwoDirections<T> layer(of);
    layer.run_on(threads);
    return layer.results();
  };
  for (const Case& of : cases) {
    const auto expected = results_on(1, of);
    for (const std::size_t threads : {2U, 4U, 8U}) EXPECT_EQ(results_on(threads, of), expected) << of;
  }
}

TEST(Race, IsNoneBetweenThreads) { expect_none<float>(cases_of_both_precisions()); }
TEST(Race, IsNoneBetweenThreadsOverBFloat16) { expect_none<BFloat16>(all_cases(Precision::bfloat16)); }

TEST(Race, IsNoneBetweenThreadsOfACrf) {
  const CrfCase of = {.tags = 9, .lengths = std::vector<std::size_t>(50, 20), .scale = 60};
  CrfBatch<float> expected(of);
  expected.run_on(1);
  for (const std::size_t threads : {2U, 4U, 8U}) {
    CrfBatch<float> batch(of);
    batch.run_on(threads);
    EXPECT_EQ(batch.results(), expected.results());
  }
}

}  // namespace
}  // namespace packseq::kernels
