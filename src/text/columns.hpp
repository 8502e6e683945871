#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace packseq::detail {

constexpr bool continues_code_point(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

/// Whether a code point is a control character, C0 or C1: in a text that is drawn it could do anything.
constexpr bool is_control(std::string_view code_point) {
  const auto byte = [&](std::size_t index) { return static_cast<unsigned char>(code_point[index]); };
  return code_point.size() == 1 ? byte(0) < 0x20 || byte(0) == 0x7F : byte(0) == 0xC2 && byte(1) < 0xA0;
}

/// Columns that a UTF-8 text takes, one per code point.
inline std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char byte) { return !continues_code_point(byte); }));
}

/// The text, cut to `columns` with an ellipsis at its end if it is longer. What would move the cursor is replaced.
inline std::string clipped(std::string_view text, std::size_t columns) {
  const bool whole = width(text) <= columns;
  std::string result;
  for (std::size_t kept = 0; !text.empty() && kept < (whole ? columns : columns - 1); ++kept) {
    std::size_t bytes = 1;
    while (bytes < text.size() && continues_code_point(text[bytes])) ++bytes;
    const auto code_point = text.substr(0, bytes);
    result += is_control(code_point) ? "\uFFFD" : code_point;
    text.remove_prefix(bytes);
  }
  return whole ? result : result + "…";
}

/// The text, filled up with blanks on the right, or on the left, to `columns`.
inline std::string left(std::string_view text, std::size_t columns) {
  return std::string(text).append(columns - std::min(columns, width(text)), ' ');
}
inline std::string right(std::string_view text, std::size_t columns) {
  return std::string(columns - std::min(columns, width(text)), ' ').append(text);
}

/// The text, `count` times.
inline std::string repeated(std::string_view text, std::size_t count) {
  std::string result;
  while (count-- > 0) result += text;
  return result;
}

/// The line without the blanks at its end, which are of no use to those who copy it.
inline std::string without_end_blanks(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

/// 1234567 as "1,234,567".
inline std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (auto position = static_cast<std::ptrdiff_t>(digits.size()) - 3; position > 0; position -= 3) {
    digits.insert(static_cast<std::size_t>(position), 1, ',');
  }
  return digits;
}

}  // namespace packseq::detail
