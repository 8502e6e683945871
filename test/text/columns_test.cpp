#include "text/columns.hpp"

#include <gtest/gtest.h>

namespace packseq::detail {
namespace {

TEST(Columns, CountsCodePoints) {
  EXPECT_EQ(width("naïve"), 5);
  EXPECT_EQ(width("日本語"), 3);
  EXPECT_EQ(width(""), 0);
}

TEST(Columns, ClipsBetweenCodePoints) {
  EXPECT_EQ(clipped("naïve", 5), "naïve");
  EXPECT_EQ(clipped("naïve", 4), "naï…");
  EXPECT_EQ(clipped("日本語", 2), "日…");
  EXPECT_EQ(clipped("ab", 1), "…");
}

TEST(Columns, ReplacesControlCharacters) {
  EXPECT_EQ(clipped("a\x1b[31m\x7f\u0085\u00a0", 80), "a\uFFFD[31m\uFFFD\uFFFD\u00a0");
}

TEST(Columns, FillsUpByCodePoints) {
  EXPECT_EQ(left("ï", 3), "ï  ");
  EXPECT_EQ(right("ï", 3), "  ï");
  EXPECT_EQ(left("long", 3), "long");
}

TEST(Columns, CutsBlanksOffTheEnd) {
  EXPECT_EQ(without_end_blanks(" a b  "), " a b");
  EXPECT_EQ(without_end_blanks("  "), "");
}

}  // namespace
}  // namespace packseq::detail
