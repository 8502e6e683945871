#include "cli/table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace packseq::cli {
namespace {

std::size_t length(const TableRow& row) { return row.cells.size() + row.padding; }

std::size_t label_width(const Table& table) {
  std::size_t label = std::max(width(table.header_label), width(table.footer_label));
  for (const TableRow& row : table.rows) label = std::max(label, width(row.label));
  return label;
}

std::vector<std::size_t> column_widths(const Table& table) {
  std::vector<std::size_t> widths(table.header.size(), 1);
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
  Drawing(const Table& table, const Theme& theme)
      : table_(table), theme_(theme), label_(label_width(table)), widths_(column_widths(table)) {}

  std::string finish() {
    captions(table_.header_label, table_.header, theme_.faint);
    blanks();
    rule(0, length(table_.rows.front()), "┌", "┬", "┐");
    text_ += '\n';
    std::size_t above = length(table_.rows.front());
    for (const TableRow& row : table_.rows) {
      draw_row(row, above);
      above = length(row);
    }
    blanks();
    rule(0, above, "└", "┴", "┘");
    text_ += '\n';
    if (!table_.footer.empty()) captions(table_.footer_label, table_.footer, {});
    return std::move(text_);
  }

 private:
  void blanks() { text_.append(label_ + 1, ' '); }

  void rule(std::size_t begin, std::size_t end, const char* first, const char* inner, const char* last) {
    text_ += first;
    for (std::size_t column = begin; column < end; ++column) {
      if (column > begin) text_ += inner;
      text_ += repeated("─", widths_[column] + 2);
    }
    text_ += last;
  }

  void captions(const std::string& label, const std::vector<std::string>& columns, const fmt::text_style& style) {
    std::string line = left(label, label_ + 1);
    for (std::size_t column = 0; column < columns.size(); ++column) {
      line += "  " + left(columns[column], widths_[column] + 1);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text_ += fmt::format("{}\n", fmt::styled(line, style));
  }

  void draw_row(const TableRow& row, std::size_t above) {
    text_ += fmt::format("{} │", fmt::styled(left(row.label, label_), row.style));
    for (std::size_t column = 0; column < length(row); ++column) {
      if (column > 0) text_ += "│";
      if (column < row.cells.size()) {
        text_ += fmt::format(" {} ", fmt::styled(left(row.cells[column], widths_[column]), row.style));
      } else {
        text_ += fmt::format("{}", fmt::styled(repeated("░", widths_[column] + 2), theme_.faint));
      }
    }
    if (length(row) < above) {
      rule(length(row), above, "├", "┴", "┘");
    } else {
      text_ += "│";
    }
    if (!row.note.empty()) text_ += fmt::format(" {}", fmt::styled(row.note, theme_.faint));
    text_ += '\n';
  }

  const Table& table_;
  const Theme& theme_;
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

std::string draw(const Table& table, const Theme& theme) { return Drawing(table, theme).finish(); }

}  // namespace packseq::cli
