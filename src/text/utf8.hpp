#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace packseq::detail {

/// Bytes of the UTF-8 character (RFC 3629) that `text` begins with; 0 if it begins with none, or with NUL.
inline std::size_t character_size(std::string_view text) noexcept {
  const auto in_range = [text](std::size_t i, unsigned low, unsigned high) {
    const unsigned byte = i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
    return low <= byte && byte <= high;
  };
  const auto continued = [&in_range](std::size_t i) { return in_range(i, 0x80, 0xBF); };

  if (in_range(0, 0x01, 0x7F)) return 1;
  // A lead byte of C0 or C1 would be an overlong form, and one above F4 a code point above U+10FFFF.
  if (in_range(0, 0xC2, 0xDF)) return continued(1) ? 2 : 0;
  // Where a longer character may be overlong, a surrogate or above U+10FFFF, its second byte tells.
  const bool second = in_range(0, 0xE0, 0xE0)   ? in_range(1, 0xA0, 0xBF)
                      : in_range(0, 0xED, 0xED) ? in_range(1, 0x80, 0x9F)
                      : in_range(0, 0xF0, 0xF0) ? in_range(1, 0x90, 0xBF)
                      : in_range(0, 0xF4, 0xF4) ? in_range(1, 0x80, 0x8F)
                                                : continued(1);
  if (in_range(0, 0xE0, 0xEF)) return second && continued(2) ? 3 : 0;
  if (in_range(0, 0xF0, 0xF4)) return second && continued(2) && continued(3) ? 4 : 0;
  return 0;
}

/// How many bytes at the start of `text` are UTF-8 characters other than NUL: all of them, if it is valid.
inline std::size_t valid_utf8_prefix(std::string_view text) noexcept {
  std::size_t valid = 0;
  while (valid < text.size()) {
    std::uint64_t bytes = 0x80;  // fails the test below
    if (text.size() - valid >= sizeof bytes) std::memcpy(&bytes, text.data() + valid, sizeof bytes);
    // Most text is ASCII, seen here eight bytes at once: no byte has its high bit set, nor gets it when 1 is taken
    // from it, as NUL does.
    if (((bytes | (bytes - 0x0101010101010101)) & 0x8080808080808080) == 0) {
      valid += sizeof bytes;
      continue;
    }
    const std::size_t size = character_size(text.substr(valid));
    if (size == 0) break;
    valid += size;
  }
  return valid;
}

}  // namespace packseq::detail
