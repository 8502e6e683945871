#include "nn/distinct.hpp"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <map>
#include <vector>

#include "support/sequences.hpp"

namespace packseq::test {
namespace {

TEST(FindDistinct, NumbersIdsInTheOrderInWhichTheyCome) {
  const auto distinct = nn::detail::find_distinct("f", torch::tensor({7, 3, 7, 7, 0, 3}), 8, 0);
  EXPECT_SAME(distinct.ids, torch::tensor({7, 3, 0}));
  EXPECT_SAME(distinct.index, torch::tensor({0, 1, 0, 0, 2, 1}, torch::kInt));
}

TEST(FindDistinct, LeavesOutWhatIsKnown) {
  const auto distinct = nn::detail::find_distinct("f", torch::tensor({7, 3, 4, 7, 0, 3}), 8, 4);
  EXPECT_SAME(distinct.ids, torch::tensor({7, 4}));
  EXPECT_SAME(distinct.index, torch::tensor({4, 3, 5, 4, 0, 3}, torch::kInt));
}

TEST(FindDistinct, FindsEachOnceWhateverTheIds) {
  torch::manual_seed(0);
  for (const std::int64_t tokens : {0, 1, 2, 3, 1000}) {
    for (const std::int64_t size : {std::int64_t{1}, std::int64_t{50}, std::int64_t{5000}, std::int64_t{1} << 62}) {
      // A multiple of a power of two falls on few places of a bad hash table.
      const auto ids =
          torch::randint(0, size, {tokens}, torch::kLong).div(1 << 10, "floor").mul(size > 5000 ? 1 << 10 : 1);
      const auto distinct = nn::detail::find_distinct("f", ids, size, 0);
      std::map<std::int64_t, std::int32_t> places;
      std::vector<std::int64_t> expected;
      for (std::int64_t i = 0; i < tokens; ++i) {
        const auto id = ids[i].item<std::int64_t>();
        if (places.emplace(id, static_cast<std::int32_t>(places.size())).second) expected.push_back(id);
        ASSERT_EQ(distinct.index[i].item<std::int32_t>(), places[id]);
      }
      EXPECT_SAME(distinct.ids, torch::tensor(expected, torch::kLong));
    }
  }
}

}  // namespace
}  // namespace packseq::test
