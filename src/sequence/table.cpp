#include "sequence/table.hpp"

#include <algorithm>
#include <utility>

#include "text/columns.hpp"

namespace packseq::detail {
namespace {

std::size_t length(const TableRow& row) { return row.cells.size() + row.padding; }

std::size_t label_width(const Table& table) {
  std::size_t label = std::max(width(table.header_label), width(table.footer_label));
  for (const TableRow& row : table.rows) label = std::max(label, width(row.label));
  return label;
}

std::vector<std::size_t> column_widths(const Table& table) {
  std::vector<std::size_t> widths(std::max(table.header.size(), table.footer.size()), 1);
  const auto widen = [&](const std::vector<std::string>& cells) {
    for (std::size_t column = 0; column < cells.size(); ++column) {
      widths[column] = std::max(widths[column], width(cells[column]));
    }
  };
  widen(table.header);
  widen(table.footer);
  for (const TableRow& row : table.rows) widen(row.cells);
  return widths;
}

/// Draws one table, line by line.
class Drawing {
 public:
  Drawing(const Table& table, const Paint& paint)
      : table_(table), paint_(paint), label_(label_width(table)), widths_(column_widths(table)) {}

  std::string finish() {
    text_ += painted(paint_, captions(table_.header_label, table_.header)) + '\n';
    std::size_t above = length(table_.rows.front());
    if (above > 0) edge(above, "┌", "┬", "┐");
    for (const TableRow& row : table_.rows) {
      draw_row(row, above);
      above = length(row);
    }
    if (above > 0) edge(above, "└", "┴", "┘");
    if (!table_.remark.empty()) text_ += std::string(label_ + 1, ' ') + painted(paint_, table_.remark) + '\n';
    if (!table_.footer.empty()) text_ += captions(table_.footer_label, table_.footer) + '\n';
    return std::move(text_);
  }

 private:
  /// A line above or below all cells.
  void edge(std::size_t cells, const char* first, const char* inner, const char* last) {
    text_.append(label_ + 1, ' ');
    rule(0, cells, first, inner, last);
    text_ += '\n';
  }

  void rule(std::size_t begin, std::size_t end, const char* first, const char* inner, const char* last) {
    text_ += first;
    for (std::size_t column = begin; column < end; ++column) {
      if (column > begin) text_ += inner;
      text_ += repeated("─", widths_[column] + 2);
    }
    text_ += last;
  }

  std::string captions(const std::string& label, const std::vector<std::string>& columns) const {
    std::string line = left(label, label_ + 1);
    for (std::size_t column = 0; column < columns.size(); ++column) {
      line += "  " + left(columns[column], widths_[column] + 1);
    }
    return without_end_blanks(std::move(line));
  }

  void draw_row(const TableRow& row, std::size_t above) {
    if (length(row) == 0 && above == 0) {
      text_ += painted(paint_, row.label, row.document);
    } else if (length(row) == 0) {
      text_ += painted(paint_, left(row.label, label_), row.document) + ' ';
      rule(0, above, "└", "┴", "┘");
    } else {
      text_ += painted(paint_, left(row.label, label_), row.document) + " │";
      draw_cells(row);
      if (length(row) < above) {
        rule(length(row), above, "├", "┴", "┘");
      } else {
        text_ += "│";
      }
    }
    if (!row.note.empty()) text_ += ' ' + painted(paint_, row.note);
    text_ += '\n';
  }

  void draw_cells(const TableRow& row) {
    for (std::size_t column = 0; column < length(row); ++column) {
      if (column > 0) text_ += "│";
      if (column < row.cells.size()) {
        text_ += ' ' + painted(paint_, left(row.cells[column], widths_[column]), row.document) + ' ';
      } else {
        text_ += painted(paint_, repeated("░", widths_[column] + 2));
      }
    }
  }

  const Table& table_;
  const Paint& paint_;
  std::size_t label_;
  std::vector<std::size_t> widths_;
  std::string text_;
};

}  // namespace

std::size_t width(const Table& table) {
  std::size_t columns = label_width(table) + 2;
  for (const std::size_t column : column_widths(table)) columns += column + 3;
  std::size_t note = 0;
  for (const TableRow& row : table.rows) note = std::max(note, width(row.note));
  return columns + (note > 0 ? note + 1 : 0);
}

std::string draw(const Table& table, const Paint& paint) { return Drawing(table, paint).finish(); }

}  // namespace packseq::detail
