#pragma once

#include <algorithm>
#include <string_view>

namespace packseq::detail {

// ASCII, whatever the locale says: bytes of a longer UTF-8 character are in none of these classes.

constexpr bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

constexpr bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }

constexpr char to_lower(char c) noexcept { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }

constexpr bool is_punctuation(char c) noexcept {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

constexpr bool is_blank(std::string_view text) noexcept { return std::all_of(text.begin(), text.end(), is_space); }

}  // namespace packseq::detail
