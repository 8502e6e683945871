#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "packseq/export.hpp"

namespace packseq::detail {

/// Gives a text the colour of a document, or where there is none, that of what is less important.
using Paint = std::function<std::string(const std::string& text, std::optional<std::int64_t> document)>;

/// `text` as `paint` wants it; unchanged if there is none.
inline std::string painted(const Paint& paint, std::string text, std::optional<std::int64_t> document = {}) {
  return paint ? paint(text, document) : text;
}

/// A row of a table.
struct TableRow {
  std::string label;
  std::vector<std::string> cells;  ///< Never more than the row before has, once padding is added.
  std::size_t padding = 0;         ///< Cells of padding after them.
  std::string note = {};           ///< What stands to the right of the table.
  std::optional<std::int64_t> document = {};
};

/// Rows of cells with lines around them. Where a row has fewer cells than the one before, the lines form a stair.
struct Table {
  std::vector<TableRow> rows;
  std::vector<std::string> header;  ///< Above each column.
  std::string header_label = {};
  std::vector<std::string> footer = {};  ///< Below each column, if any.
  std::string footer_label = {};
  std::string remark = {};  ///< What stands under the rows.
};

/// The columns that the drawing of a table takes on a terminal.
PACKSEQ_EXPORT std::size_t width(const Table& table);

/// Draws a table.
PACKSEQ_EXPORT std::string draw(const Table& table, const Paint& paint = {});

}  // namespace packseq::detail
