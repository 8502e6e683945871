#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace packseq::detail {

/// The first code point of a UTF-8 text that is not empty, as bytes and as a number.
struct CodePoint {
  std::string_view bytes;
  char32_t number;
};

constexpr CodePoint front_code_point(std::string_view text) {
  const auto byte = [&](std::size_t index) { return static_cast<unsigned char>(text[index]); };
  const unsigned lead = byte(0);
  const std::size_t count = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  char32_t number = count == 1 ? lead : lead & (0xFFU >> (count + 1));
  for (std::size_t i = 1; i < std::min(count, text.size()); ++i) number = number << 6U | (byte(i) & 0x3FU);
  return {text.substr(0, count), number};
}

/// Whether a code point is a control character, C0 or C1: in a text that is drawn it could do anything.
constexpr bool is_control(char32_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0);
}

/// Columns that a terminal gives a code point: two for those that [format.string.std] of the C++ standard lists, none
/// for what joins the one before it (combining marks, joiners, variants, skin tones).
constexpr std::size_t width(char32_t code_point) {
  // The first of each range, and the first behind it.
  constexpr std::array<char32_t, 10> joining = {0x0300, 0x0370, 0x200B, 0x2010,  0x20D0,
                                                0x2100, 0xFE00, 0xFE10, 0x1F3FB, 0x1F400};
  constexpr std::array<char32_t, 28> wide = {0x1100,  0x1160,  0x2329,  0x232B,  0x2E80,  0x303F,  0x3040,
                                             0xA4D0,  0xAC00,  0xD7A4,  0xF900,  0xFB00,  0xFE10,  0xFE1A,
                                             0xFE30,  0xFE70,  0xFF00,  0xFF61,  0xFFE0,  0xFFE7,  0x1F300,
                                             0x1F650, 0x1F900, 0x1FA00, 0x20000, 0x2FFFE, 0x30000, 0x3FFFE};
  const auto in = [code_point](const auto& ranges) {
    return (std::upper_bound(ranges.begin(), ranges.end(), code_point) - ranges.begin()) % 2 == 1;
  };
  return in(joining) ? 0 : in(wide) ? 2 : 1;
}

/// Columns that a UTF-8 text takes.
constexpr std::size_t width(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const auto [bytes, code_point] = front_code_point(text);
    columns += width(code_point);
    text.remove_prefix(bytes.size());
  }
  return columns;
}

/// The text, cut to `columns` with an ellipsis at its end if it is longer. What would move the cursor is replaced.
inline std::string clipped(std::string_view text, std::size_t columns) {
  const bool whole = width(text) <= columns;
  const std::size_t most = whole ? columns : columns - 1;
  std::string result;
  for (std::size_t kept = 0; !text.empty();) {
    const auto [bytes, code_point] = front_code_point(text);
    kept += width(code_point);
    if (kept > most) break;
    result += is_control(code_point) ? "\uFFFD" : bytes;
    text.remove_prefix(bytes.size());
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
