#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace packseq::detail {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// What a text begins with: a UTF-8 character (RFC 3629), or bytes that are none, as which NUL counts here.
struct Utf8Head {
  std::size_t size;  ///< In bytes. If it is not valid: of what one U+FFFD replaces, Unicode's "maximal subpart".
  bool valid;
};

/// `text` must not be empty.
inline Utf8Head utf8_head(std::string_view text) noexcept {
  const auto in_range = [text](std::size_t i, unsigned low, unsigned high) {
    const unsigned byte = i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
    return low <= byte && byte <= high;
  };
  const auto continued = [&in_range](std::size_t i) { return in_range(i, 0x80, 0xBF); };

  if (in_range(0, 0x01, 0x7F)) return {1, true};
  // A lead byte of C0 or C1 would be an overlong form, and one above F4 a code point above U+10FFFF.
  if (in_range(0, 0xC2, 0xDF)) return continued(1) ? Utf8Head{2, true} : Utf8Head{1, false};
  if (!in_range(0, 0xE0, 0xF4)) return {1, false};
  // Where a longer character may be overlong, a surrogate or above U+10FFFF, its second byte tells.
  const bool second = in_range(0, 0xE0, 0xE0)   ? in_range(1, 0xA0, 0xBF)
                      : in_range(0, 0xED, 0xED) ? in_range(1, 0x80, 0x9F)
                      : in_range(0, 0xF0, 0xF0) ? in_range(1, 0x90, 0xBF)
                      : in_range(0, 0xF4, 0xF4) ? in_range(1, 0x80, 0x8F)
                                                : continued(1);
  if (!second) return {1, false};
  if (!continued(2)) return {2, false};
  if (in_range(0, 0xE0, 0xEF)) return {3, true};
  return continued(3) ? Utf8Head{4, true} : Utf8Head{3, false};
}

/// Whether `8 * words` bytes are ASCII without NUL: no byte has its high bit set, nor gets it when 1 is taken from it,
/// as NUL does.
template <std::size_t words>
bool is_ascii(const char* bytes) noexcept {
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < words; ++i) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + i * sizeof word, sizeof word);
    all |= word | (word - 0x0101010101010101);
  }
  return (all & 0x8080808080808080) == 0;
}

/// How many bytes at the start of `text` are UTF-8 characters other than NUL: all of them, if it is valid.
inline std::size_t valid_utf8_prefix(std::string_view text) noexcept {
  std::size_t valid = 0;
  while (valid < text.size()) {
    // Most text is ASCII, seen here eight bytes at once, the last eight overlapping those before, then in longer runs.
    if (text.size() >= 8) {
      const std::size_t begin = std::min(valid, text.size() - 8);
      if (is_ascii<1>(text.data() + begin)) {
        valid = begin + 8;
        while (text.size() - valid >= 64 && is_ascii<8>(text.data() + valid)) valid += 64;
        continue;
      }
    }
    if (static_cast<signed char>(text[valid]) > 0) {
      ++valid;
      continue;
    }
    const Utf8Head head = utf8_head(text.substr(valid));
    if (!head.valid) break;
    valid += head.size;
  }
  return valid;
}

/// The text with U+FFFD in place of what is not UTF-8, one for each maximal subpart of a character.
inline std::string replaced_utf8(std::string_view text) {
  std::string replaced;
  while (true) {
    const std::size_t valid = valid_utf8_prefix(text);
    replaced.append(text.substr(0, valid));
    text.remove_prefix(valid);
    if (text.empty()) return replaced;
    replaced.append("\xEF\xBF\xBD");
    text.remove_prefix(utf8_head(text).size);
  }
}

}  // namespace packseq::detail
