#include "cli/table.hpp"

#include <gtest/gtest.h>

namespace packseq::cli {
namespace {

TEST(Table, DrawsAStairWhereRowsGetShorter) {
  Table table{.rows = {{.label = "0", .cells = {"a", "日本", "c", "d"}},
                       {.label = "1", .cells = {"naïve", "b"}},
                       {.label = "2", .cells = {"e", "f"}},
                       {.label = "3", .cells = {"g"}}},
              .header = {"0", "1", "2", "3"},
              .header_label = "step",
              .footer = {"4", "3", "1", "1"},
              .footer_label = "size"};
  EXPECT_EQ(draw(table, Theme(false)),
            "step   0       1    2   3\n"
            "     ┌───────┬────┬───┬───┐\n"
            "0    │ a     │ 日本 │ c │ d │\n"
            "1    │ naïve │ b  ├───┴───┘\n"
            "2    │ e     │ f  │\n"
            "3    │ g     ├────┘\n"
            "     └───────┘\n"
            "size   4       3    1   1\n");
  EXPECT_EQ(width(table), width("     ┌───────┬────┬───┬───┐"));
}

TEST(Table, FillsPadding) {
  Table table{.rows = {{.label = "0", .cells = {"a", "b"}, .padding = 0, .style = {}, .note = "2 tokens"},
                       {.label = "1", .cells = {"c"}, .padding = 1, .style = {}, .note = "1 token"}},
              .header = {"0", "1"}};
  EXPECT_EQ(draw(table, Theme(false)),
            "    0   1\n"
            "  ┌───┬───┐\n"
            "0 │ a │ b │ 2 tokens\n"
            "1 │ c │░░░│ 1 token\n"
            "  └───┴───┘\n");
  EXPECT_EQ(width(table), width("0 │ a │ b │ 2 tokens"));
}

}  // namespace
}  // namespace packseq::cli
