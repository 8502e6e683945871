#include "cli/looks_like.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "data/column_signs.hpp"

namespace packseq::cli {
namespace {

/// The fields of text, if each line is a JSON object.
std::optional<std::string> json_fields(const std::vector<std::string>& lines) {
  std::string fields;
  for (const std::string& line : lines) {
    const auto object = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!object.is_object()) return std::nullopt;
    if (!fields.empty()) continue;
    for (const auto& [name, value] : object.items()) {
      if (value.is_string()) fields += (fields.empty() ? "" : ", ") + name;
    }
  }
  return lines.empty() ? std::nullopt : std::optional(fields);
}

/// Whether these are lines of a column file, a token on each.
bool are_tokens(const std::vector<std::string>& lines) {
  data::detail::ColumnSigns signs;
  std::int64_t number = 0;
  return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) { return signs.see(line, ++number); }) ||
         signs.end();
}

/// How many columns a line has; separators between quotes are text.
std::ptrdiff_t columns(const std::string& line, char separator) {
  bool is_quoted = false;
  return 1 + std::count_if(line.begin(), line.end(), [&](char c) {
           is_quoted ^= c == '"';
           return c == separator && !is_quoted;
         });
}

/// Whether all lines have as many columns, more than one. Verse, too, may have a comma in each of its lines, but with a
/// blank behind it, which the names of columns have not.
bool has_columns(const std::vector<std::string>& lines, char separator) {
  constexpr std::size_t fewest_lines = 4;
  if (lines.size() < fewest_lines || lines.front().find({separator, ' '}) != std::string::npos) return false;
  const auto count = columns(lines.front(), separator);
  return count > 1 && std::all_of(lines.begin(), lines.end(),
                                  [&](const std::string& line) { return columns(line, separator) == count; });
}

}  // namespace

std::optional<std::string> what_it_looks_like(const std::vector<std::string>& lines) {
  if (const auto fields = json_fields(lines)) {
    return fmt::format("looks like JSON lines: --json-field NAME reads a field alone{}",
                       fields->empty() ? "" : " (here " + *fields + ")");
  }
  if (are_tokens(lines)) {
    return "looks like a column file, a token on each line: awk 'NF {printf \"%s \", $1} !NF {print \"\"}' FILE | "
           "packseq "
           "compare - reads sentences ($1: the column of the words)";
  }
  if (has_columns(lines, '\t')) {
    return "looks like columns between tabs, which are all taken for text: cut -f N FILE | packseq compare -";
  }
  if (has_columns(lines, ',') || has_columns(lines, ';')) {
    return "looks like CSV, whose columns are all taken for text: give the column of the text alone, as lines";
  }
  return std::nullopt;
}

}  // namespace packseq::cli
