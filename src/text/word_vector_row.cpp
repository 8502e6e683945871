#include "text/word_vector_row.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

#include "text/ascii.hpp"
#include "text/columns.hpp"

namespace packseq::detail {
namespace {

/// Whether a number that no type can hold is too small rather than too large.
bool is_below_one(std::string_view number) noexcept {
  const std::size_t exponent = number.find_first_of("eE");
  if (exponent != std::string_view::npos) return number.substr(exponent + 1).starts_with('-');
  return number.substr(std::min(number.find_first_not_of("-0"), number.size())).starts_with('.');
}

/// A float at the front of a text, and where it ends; nullptr if there is none, or no float can hold it.
const char* parse(const char* begin, const char* end, float& value) noexcept {
  if (begin + 1 < end && *begin == '+' && begin[1] != '-') ++begin;
  const auto [rest, error] = std::from_chars(begin, end, value);
  if (error == std::errc{}) return rest;
  if (error != std::errc::result_out_of_range) return nullptr;
  // Either too large, which is an error, or nearer to zero than any float but zero.
  long double exact = 0;
  if (std::from_chars(begin, end, exact).ec != std::errc{}) {
    if (!is_below_one({begin, rest})) return nullptr;
    exact = *begin == '-' ? -0.0L : 0.0L;
  }
  if (std::abs(exact) > 1) return nullptr;
  value = static_cast<float>(exact);
  return rest;
}

bool is_number(std::string_view token) noexcept {
  float value = 0;
  return parse(token.data(), token.data() + token.size(), value) == token.data() + token.size();
}

std::string_view without_end_separators(std::string_view text) noexcept {
  while (!text.empty() && is_separator(text.back())) text.remove_suffix(1);
  return text;
}

/// Takes the last token off a text that does not end in a separator.
std::string_view take_last(std::string_view& text) noexcept {
  const std::size_t size = text.find_last_of(" \t");
  const std::size_t begin = size == std::string_view::npos ? 0 : size + 1;
  const std::string_view token = text.substr(begin);
  text = text.substr(0, begin);
  return token;
}

/// Fills `vector` from a text that holds its numbers and no more.
bool read_numbers(std::string_view text, std::span<float> vector) noexcept {
  const char* at = text.data();
  const char* const end = at + text.size();
  for (float& value : vector) {
    while (at != end && is_separator(*at)) ++at;
    at = parse(at, end, value);
    if (at == nullptr || (at != end && !is_separator(*at))) return false;
  }
  return std::all_of(at, end, is_separator);
}

bool is_digits(std::string_view text) noexcept { return std::all_of(text.begin(), text.end(), is_digit); }

/// Where the numbers begin, or npos if there are not so many, or there is no word before them.
std::size_t numbers_begin(std::string_view line, std::size_t dimension) noexcept {
  std::string_view rest = without_end_separators(line);
  for (std::size_t i = 0; i < dimension; ++i) {
    rest = without_end_separators(rest);
    if (take_last(rest).empty()) return std::string_view::npos;
  }
  if (rest.empty()) return std::string_view::npos;
  // A number more: of a row that is too wide, unless it looks like a part of the word.
  std::string_view word = without_end_separators(rest);
  if (word.find_first_of(" \t") != std::string_view::npos) {
    const std::string_view last = take_last(word);
    if (!is_digits(last) && is_number(last)) return std::string_view::npos;
  }
  return rest.size();
}

}  // namespace

std::optional<std::string_view> read_row(std::string_view line, std::span<float> vector) noexcept {
  // Nearly all words hold no blank.
  const std::size_t blank = line.find_first_of(" \t");
  if (blank == std::string_view::npos) return std::nullopt;
  if (blank + 1 < line.size() && !is_separator(line[blank + 1]) && read_numbers(line.substr(blank + 1), vector)) {
    return line.substr(0, blank);
  }
  const std::size_t begin = numbers_begin(line, vector.size());
  if (begin == std::string_view::npos || !read_numbers(line.substr(begin), vector)) return std::nullopt;
  // Blanks behind a word are the file's, unless there is nothing else.
  const std::string_view word = without_end_separators(line.substr(0, begin));
  return word.empty() ? line.substr(0, begin - 1) : word;
}

std::size_t trailing_numbers(std::string_view line) noexcept {
  std::size_t count = 0;
  for (std::string_view rest = without_end_separators(line); !rest.empty(); ++count) {
    const std::string_view token = take_last(rest);
    if (rest.empty() || !is_number(token)) break;
    if (without_end_separators(rest).empty()) return count + 1;
    rest = without_end_separators(rest);
  }
  return count;
}

std::size_t numbers_at_end(std::string_view line, std::size_t most) noexcept {
  std::size_t count = 0;
  std::string_view rest = without_end_separators(line);
  for (std::size_t i = 0; i < most && !rest.empty(); ++i) {
    if (is_number(take_last(rest))) ++count;
    rest = without_end_separators(rest);
  }
  return count;
}

std::string counted_numbers(std::size_t count) { return std::to_string(count) + (count == 1 ? " number" : " numbers"); }

std::string row_problem(std::string_view line, std::size_t dimension) {
  std::string_view rest = without_end_separators(line);
  for (std::size_t i = 0; i < dimension; ++i) {
    const std::string_view token = take_last(rest);
    if (rest.empty()) break;
    float value = 0;
    if (!is_number(token)) {
      const char* const end = token.data() + token.size();
      const bool is_large = std::from_chars(token.data(), end, value).ptr == end;
      std::string problem = "'";
      problem += clipped(token, 40);
      problem += is_large ? "' is beyond what a float holds" : "' is no number";
      return problem + ", and the last " + std::to_string(dimension) + " words of a row must be numbers";
    }
    rest = without_end_separators(rest);
  }
  return counted_numbers(trailing_numbers(line)) + " behind a word, and must be " + std::to_string(dimension);
}

}  // namespace packseq::detail
