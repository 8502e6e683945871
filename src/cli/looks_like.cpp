#include "cli/looks_like.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "cli/terminal.hpp"
#include "data/column_signs.hpp"

namespace packseq::cli {
namespace {

/// The first fields of text, as many as a person reads, if each line is a JSON object.
std::optional<std::string> json_fields(const std::vector<std::string>& lines) {
  constexpr int most = 10;
  std::string fields;
  for (const std::string& line : lines) {
    const auto object = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!object.is_object()) return std::nullopt;
    if (!fields.empty()) continue;
    int count = 0;
    for (const auto& [name, value] : object.items()) {
      if (!value.is_string() || ++count > most) continue;
      fields += (fields.empty() ? "" : ", ") + clipped(name, 40);
    }
    if (count > most) fields += " and more";
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

std::optional<Looks> what_it_looks_like(const std::vector<std::string>& lines) {
  if (const auto fields = json_fields(lines)) {
    return Looks{fmt::format("looks like JSON lines: --json-field NAME reads a field alone{}",
                             fields->empty() ? "" : " (here " + *fields + ")")};
  }
  if (are_tokens(lines)) {
    return Looks{"looks like a column file, a token on each line; $1 the words' column: ",
                 "awk 'NF {printf \"%s \", $1} !NF {print \"\"}' FILE"};
  }
  if (has_columns(lines, '\t')) {
    return Looks{"looks like columns between tabs, which are all taken for text; N the text's column: ",
                 "cut -f N FILE"};
  }
  if (has_columns(lines, ',') || has_columns(lines, ';')) {
    return Looks{"looks like CSV, whose columns are all taken for text: give the column of the text alone, as lines"};
  }
  return std::nullopt;
}

}  // namespace packseq::cli
