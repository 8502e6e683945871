#include <gtest/gtest.h>

#include <vector>

#include "kernels/crf_batch.hpp"
#include "kernels/two_directions.hpp"

// Many threads compute the same numbers as one, without races that a sanitizer of threads could see.

namespace packseq::kernels {
namespace {

std::vector<std::vector<float>> results_on(std::size_t threads, const Case& of) {
  TwoDirections<float> layer(of);
  layer.run_on(threads);
  return layer.results();
}

TEST(Race, IsNoneBetweenThreads) {
  for (const Case& of : cases_of_both_precisions()) {
    const auto expected = results_on(1, of);
    for (const std::size_t threads : {2U, 4U, 8U}) EXPECT_EQ(results_on(threads, of), expected) << of;
  }
}

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
