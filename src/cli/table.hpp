#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/terminal.hpp"

namespace packseq::cli {

/// A row of a table.
struct TableRow {
  std::string label;
  std::vector<std::string> cells;  ///< Never more than the row before has, once padding is added.
  std::size_t padding = 0;         ///< Cells of padding after them.
  fmt::text_style style = {};
  std::string note = {};  ///< What stands to the right of the table.
};

/// Rows of cells with lines around them. Where a row has fewer cells than the one before, the lines form a stair.
struct Table {
  std::vector<TableRow> rows;
  std::vector<std::string> header;  ///< Above each column.
  std::string header_label = {};
  std::vector<std::string> footer = {};  ///< Below each column, if any.
  std::string footer_label = {};
};

/// The columns that the drawing of a table takes on a terminal.
std::size_t width(const Table& table);

/// Draws a table.
std::string draw(const Table& table, const Theme& theme);

}  // namespace packseq::cli
