#include "text/columns.hpp"

#include <gtest/gtest.h>

namespace packseq::detail {
namespace {

TEST(Columns, AreThoseOfATerminal) {
  EXPECT_EQ(width("naïve"), 5);
  EXPECT_EQ(width("nai\u0308ve"), 5);
  EXPECT_EQ(width("日本語"), 6);
  EXPECT_EQ(width("한국"), 4);
  EXPECT_EQ(width("ﾆﾎﾝ"), 3);
  EXPECT_EQ(width("👍🏽"), 2);
  EXPECT_EQ(width("𠮷"), 2);
  EXPECT_EQ(width("░│─"), 3);
  EXPECT_EQ(width(""), 0);
}

TEST(Columns, ClipsBetweenCodePoints) {
  EXPECT_EQ(clipped("naïve", 5), "naïve");
  EXPECT_EQ(clipped("naïve", 4), "naï…");
  EXPECT_EQ(clipped("日本語", 6), "日本語");
  EXPECT_EQ(clipped("日本語", 5), "日本…");
  EXPECT_EQ(clipped("日本語", 4), "日…");
  EXPECT_EQ(clipped("日本語", 2), "…");
  EXPECT_EQ(clipped("ab", 1), "…");
}

TEST(Columns, ReplacesControlCharacters) {
  EXPECT_EQ(clipped("a\x1b[31m\x7f\u0085\u00a0", 80), "a\uFFFD[31m\uFFFD\uFFFD\u00a0");
}

TEST(Columns, FillsUp) {
  EXPECT_EQ(left("ï", 3), "ï  ");
  EXPECT_EQ(right("ï", 3), "  ï");
  EXPECT_EQ(left("語", 3), "語 ");
  EXPECT_EQ(left("long", 3), "long");
}

TEST(Columns, CutsBlanksOffTheEnd) {
  EXPECT_EQ(without_end_blanks(" a b  "), " a b");
  EXPECT_EQ(without_end_blanks("  "), "");
}

}  // namespace
}  // namespace packseq::detail
