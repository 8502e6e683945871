#include "cli/histogram.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace packseq::cli {
namespace {

using testing::ElementsAre;

Lengths of(const std::vector<std::int64_t>& lengths) {
  Lengths result;
  for (const std::int64_t length : lengths) result.add(length);
  return result;
}

TEST(Histogram, CountsEachLengthOfShortDocuments) {
  EXPECT_THAT(histogram(of({1, 2, 2, 4}), 8), ElementsAre("1 ██ 1", "2 ████ 2", "3  0", "4 ██ 1"));
}

TEST(Histogram, JoinsLengthsIntoRoundRanges) {
  EXPECT_THAT(histogram(of({1, 20, 21, 123}), 14),
              ElementsAre("   1-20 ████ 2", "  21-40 ██ 1", "  41-60  0", "  61-80  0", " 81-100  0", "101-120  0",
                          "121-140 ██ 1"));
}

TEST(Histogram, DrawsEighths) {
  EXPECT_THAT(histogram(of({1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2}), 5), ElementsAre("1 █ 8", "2 ▍ 3"));
}

TEST(Histogram, ShowsWhatIsRare) {
  std::vector<std::int64_t> lengths(1000, 1);
  lengths.push_back(2);
  EXPECT_THAT(histogram(of(lengths), 12), ElementsAre("1 ████ 1,000", "2 ▏ 1"));
}

}  // namespace
}  // namespace packseq::cli
