#include "cli/sample.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace packseq::cli {
namespace {

using testing::ElementsAre;

/// The numbers of the documents that are drawn from so many.
std::vector<std::int64_t> drawn(std::int64_t documents, const SampleOptions& options) {
  Sample sample(options);
  for (std::int64_t number = 0; number < documents; ++number) sample.pass(std::to_string(number), "a.txt", 2 * number);
  std::vector<std::int64_t> numbers;
  for (const SampledDocument& document : sample.take()) {
    EXPECT_EQ(document.text, std::to_string(document.number));
    EXPECT_EQ(document.line, 2 * document.number);
    EXPECT_EQ(document.file, "a.txt");
    numbers.push_back(document.number);
  }
  return numbers;
}

TEST(Sample, HoldsTheFirstInTheOrderOfTheText) {
  EXPECT_THAT(drawn(10, {.order = Order::as_is, .documents = 3}), ElementsAre(0, 1, 2));
  EXPECT_THAT(drawn(2, {.order = Order::as_is, .documents = 3}), ElementsAre(0, 1));
}

TEST(Sample, HoldsAllOfAShortText) {
  for (const Order order : {Order::shuffled, Order::sorted}) {
    std::vector<std::int64_t> numbers = drawn(50, {.order = order, .documents = 50});
    EXPECT_FALSE(std::is_sorted(numbers.begin(), numbers.end()));
    std::sort(numbers.begin(), numbers.end());
    for (std::int64_t number = 0; number < 50; ++number) EXPECT_EQ(numbers[static_cast<std::size_t>(number)], number);
  }
}

TEST(Sample, DependsOnTheSeedAlone) {
  const SampleOptions options = {.documents = 20, .seed = 3};
  EXPECT_EQ(drawn(1000, options), drawn(1000, options));
  EXPECT_NE(drawn(1000, options), drawn(1000, {.documents = 20, .seed = 4}));
  EXPECT_EQ(drawn(1000, options), drawn(1000, {.order = Order::sorted, .documents = 20, .seed = 3}));
}

/// In each place any document is as likely as any other: 40 from 200 drawn 2000 times, a document is there 400 times,
/// give or take 18; and as often in the first half of the places as in the second.
TEST(Sample, IsFair) {
  std::vector<int> times(200);
  std::vector<int> times_in_first_half(200);
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const auto numbers = drawn(200, {.documents = 40, .seed = seed});
    for (std::size_t place = 0; place < numbers.size(); ++place) {
      const auto number = static_cast<std::size_t>(numbers[place]);
      ++times[number];
      times_in_first_half[number] += place < 20 ? 1 : 0;
    }
  }
  EXPECT_THAT(times, testing::Each(testing::AllOf(testing::Gt(400 - 5 * 18), testing::Lt(400 + 5 * 18))));
  EXPECT_THAT(times_in_first_half, testing::Each(testing::AllOf(testing::Gt(200 - 5 * 14), testing::Lt(200 + 5 * 14))));
}

}  // namespace
}  // namespace packseq::cli
