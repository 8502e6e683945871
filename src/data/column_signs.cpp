#include "data/column_signs.hpp"

#include <algorithm>
#include <vector>

#include "text/ascii.hpp"

namespace packseq::data::detail {
namespace {

using packseq::detail::is_digit;
using packseq::detail::is_space;
using packseq::detail::is_upper;

constexpr std::size_t fewest_lines = 4;
constexpr std::size_t most_lines = 200;
constexpr std::size_t columns_of_conll_u = 10;

/// Between tabs, if there are any, else between runs of white space.
std::vector<std::string_view> split_columns(std::string_view line) {
  std::vector<std::string_view> columns;
  const bool has_tabs = line.find('\t') != std::string_view::npos;
  const auto separates = [has_tabs](char c) { return has_tabs ? c == '\t' : is_space(c); };
  for (const auto* begin = line.begin();;) {
    const auto* const end = std::find_if(begin, line.end(), separates);
    if (has_tabs || end != begin) columns.emplace_back(begin, end);
    if (end == line.end()) return columns;
    begin = end + 1;
  }
}

/// "O", "B-LOC", "I-x".
bool is_span_tag(std::string_view word) {
  constexpr std::string_view prefixes = "BIESLUM";
  return word == "O" || (word.size() > 2 && word[1] == '-' && prefixes.find(word[0]) != std::string_view::npos &&
                         std::none_of(word.begin(), word.end(), is_space));
}

/// "NN", "PRP$", ".".
bool is_tag(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return is_upper(c) || is_digit(c) || packseq::detail::is_punctuation(c);
  });
}

/// Ten columns, of which the first one begins with a number, and the fourth, a part of speech, is in capitals.
bool is_conll_u(const std::vector<std::string_view>& columns) {
  return columns.size() == columns_of_conll_u && !columns[0].empty() && is_digit(columns[0][0]) &&
         std::none_of(columns[0].begin(), columns[0].end(), is_space) && is_tag(columns[3]);
}

/// Whether there is a small letter in it.
bool has_lower(std::string_view word) {
  return std::any_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

}  // namespace

bool is_between_documents(std::string_view line) {
  if (line.empty() || (line[0] != '-' && line[0] != '#')) return false;  // quicker than to compare
  for (const std::string_view mark : {"-DOCSTART-", "#begin document", "#end document"}) {
    if (line.starts_with(mark)) return line.size() == mark.size() || is_space(line[mark.size()]);
  }
  return false;
}

bool ColumnSigns::see(std::string_view document, std::int64_t line) {
  if (is_judged_) return false;
  if (next_line_ > 0 && line > next_line_ && see_end_of_group()) return true;
  next_line_ = line;
  for (bool more = true; more && !is_judged_; ++next_line_) {
    const std::size_t end = document.find('\n');
    more = end != std::string_view::npos;
    if (see_line(document.substr(0, end))) return true;
    if (more) document.remove_prefix(end + 1);
  }
  return false;
}

bool ColumnSigns::end() { return !is_judged_ && lines_ >= fewest_lines && are_spans_; }

bool ColumnSigns::see_line(std::string_view line) {
  const auto columns = split_columns(line);
  if (lines_ == 0 && is_between_documents(line)) return true;
  if (line.starts_with('#') && line.find('\t') == std::string_view::npos && lines_ == numbered_) return false;
  ++lines_;
  if (is_conll_u(columns)) ++numbered_;
  if (numbered_ == lines_) return numbered_ == fewest_lines - 1;
  if (columns_ == 0) columns_ = columns.size();
  const std::string_view last = columns.empty() ? std::string_view() : columns.back();
  are_spans_ = are_spans_ && is_span_tag(last);
  are_tags_ = are_tags_ && is_tag(last) && std::none_of(columns[0].begin(), columns[0].end(), is_space);
  has_words_ = has_words_ || (are_tags_ && has_lower(columns[0]) && std::any_of(last.begin(), last.end(), is_upper));
  tags_differ_ = tags_differ_ || (!last_tag_.empty() && last != last_tag_);
  last_tag_ = last;
  is_judged_ = columns.size() != columns_ || columns_ < 2 || !(are_spans_ || are_tags_) || lines_ == most_lines;
  return false;
}

bool ColumnSigns::see_end_of_group() {
  const bool are_words = are_tags_ && has_words_ && tags_differ_;
  last_tag_.clear();
  return lines_ >= fewest_lines && (are_spans_ || are_words) && numbered_ < lines_;
}

}  // namespace packseq::data::detail
