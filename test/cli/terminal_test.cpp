#include "cli/terminal.hpp"

#include <gtest/gtest.h>

namespace packseq::cli {
namespace {

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
