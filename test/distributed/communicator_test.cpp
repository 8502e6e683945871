#include "packseq/distributed/communicator.hpp"

#include <gtest/gtest.h>
#include <torch/types.h>

namespace packseq::distributed {
namespace {

TEST(Alone, IsTheOnlyRank) {
  Alone alone;
  EXPECT_EQ(alone.rank(), 0);
  EXPECT_EQ(alone.size(), 1);
  EXPECT_EQ(alone.gather("text"), std::vector<std::string>{"text"});
  const auto tensor = torch::tensor({1, 2});
  alone.sum(tensor);
  alone.broadcast(tensor);
  EXPECT_TRUE(tensor.equal(torch::tensor({1, 2})));
}

}  // namespace
}  // namespace packseq::distributed
