#include "sequence/table.hpp"

#include <gtest/gtest.h>

namespace packseq::detail {
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
  EXPECT_EQ(draw(table),
            "step   0       1      2   3\n"
            "     ┌───────┬──────┬───┬───┐\n"
            "0    │ a     │ 日本 │ c │ d │\n"
            "1    │ naïve │ b    ├───┴───┘\n"
            "2    │ e     │ f    │\n"
            "3    │ g     ├──────┘\n"
            "     └───────┘\n"
            "size   4       3      1   1\n");
  EXPECT_EQ(width(table), width("     ┌───────┬──────┬───┬───┐"));
}

TEST(Table, ClosesAboveRowsWithoutCells) {
  Table table{.rows = {{.label = "0", .cells = {"a", "b"}}, {.label = "1", .cells = {}}, {.label = "2", .cells = {}}},
              .header = {"0", "1"},
              .header_label = "step"};
  EXPECT_EQ(draw(table),
            "step   0   1\n"
            "     ┌───┬───┐\n"
            "0    │ a │ b │\n"
            "1    └───┴───┘\n"
            "2\n");
  EXPECT_EQ(draw({.rows = {{.label = "0", .cells = {}}}, .header = {}, .header_label = "step"}), "step\n0\n");
}

TEST(Table, PaintsDocumentsAndWhatIsLessImportant) {
  const Paint paint = [](const std::string& text, std::optional<std::int64_t> document) {
    return document ? std::to_string(*document) + "<" + text + ">" : "(" + text + ")";
  };
  Table table{.rows = {{.label = "a", .cells = {"b"}, .padding = 1, .note = "c", .document = 7}},
              .header = {"0", "1"},
              .footer = {"2"},
              .remark = "d"};
  EXPECT_EQ(draw(table, paint),
            "(    0   1)\n"
            "  ┌───┬───┐\n"
            "7<a> │ 7<b> │(░░░)│ (c)\n"
            "  └───┴───┘\n"
            "  (d)\n"
            "    2\n");
}

TEST(Table, FillsPadding) {
  Table table{.rows = {{.label = "0", .cells = {"a", "b"}, .padding = 0, .note = "2 tokens"},
                       {.label = "1", .cells = {"c"}, .padding = 1, .note = "1 token"}},
              .header = {"0", "1"}};
  EXPECT_EQ(draw(table),
            "    0   1\n"
            "  ┌───┬───┐\n"
            "0 │ a │ b │ 2 tokens\n"
            "1 │ c │░░░│ 1 token\n"
            "  └───┴───┘\n");
  EXPECT_EQ(width(table), width("0 │ a │ b │ 2 tokens"));
}

}  // namespace
}  // namespace packseq::detail
