#include "cli/terminal.hpp"

#include <gtest/gtest.h>

namespace packseq::cli {
namespace {

TEST(Terminal, CountsCodePoints) {
  EXPECT_EQ(width("naïve"), 5);
  EXPECT_EQ(width("日本語"), 3);
  EXPECT_EQ(width(""), 0);
}

TEST(Terminal, ClipsBetweenCodePoints) {
  EXPECT_EQ(clipped("naïve", 5), "naïve");
  EXPECT_EQ(clipped("naïve", 4), "naï…");
  EXPECT_EQ(clipped("日本語", 2), "日…");
  EXPECT_EQ(clipped("ab", 1), "…");
}

TEST(Terminal, ReplacesControlCharacters) {
  EXPECT_EQ(clipped("a\x1b[31m\x7f\u0085\u00a0", 80), "a\uFFFD[31m\uFFFD\uFFFD\u00a0");
}

TEST(Terminal, FillsUpByCodePoints) {
  EXPECT_EQ(left("ï", 3), "ï  ");
  EXPECT_EQ(right("ï", 3), "  ï");
  EXPECT_EQ(left("long", 3), "long");
}

TEST(Terminal, WritesNumbersForPeople) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(counted(1, "batch"), "1 batch");
  EXPECT_EQ(counted(2000, "batch"), "2,000 batches");
  EXPECT_EQ(counted(0, "token"), "0 tokens");
}

TEST(Terminal, WritesThreeDigitsAndAPrefix) {
  EXPECT_EQ(with_prefix(0), "0 ");
  EXPECT_EQ(with_prefix(999), "999 ");
  EXPECT_EQ(with_prefix(999.6), "1.00 k");
  EXPECT_EQ(with_prefix(1234567), "1.23 M");
  EXPECT_EQ(with_prefix(99.96e9), "100 G");
  EXPECT_EQ(with_prefix(12.34e12), "12.3 T");
}

}  // namespace
}  // namespace packseq::cli
