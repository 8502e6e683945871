#include "packseq/data/batch_sampler.hpp"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <vector>

namespace packseq::data {
namespace {

TEST(BatchSampler, DealsEveryDocumentOnceInAnEpoch) {
  const auto lengths = torch::randint(0, 30, {500}, torch::kLong);
  for (const Batching& batching : {Batching(FixedSize{7}), Batching(Bucketed{7, 10}), Batching(TokenBudget{64})}) {
    BatchSampler sampler(lengths, batching, {.seed = 1});
    std::vector<int> times(500);
    while (const auto batch = sampler.next()) {
      for (const std::size_t document : *batch) ++times[document];
    }
    EXPECT_EQ(times, std::vector<int>(500, 1));
  }
}

}  // namespace
}  // namespace packseq::data
