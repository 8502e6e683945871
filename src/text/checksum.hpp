#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "text/little_endian.hpp"

namespace packseq::detail {

/// A cyclic redundancy check of as many bits as `Word` has, lowest bit first, ones before and after: any change of up to
/// that many bits in a row is noticed. Eight bytes are taken at once, by a table for each ("slicing by 8": Kounavis and
/// Berry, A Systematic Approach to Building High Performance Software-Based CRC Generators, 2005).
template <class Word, Word polynomial>
Word cyclic_redundancy_check(std::string_view bytes) noexcept {
  // Of a byte the remainder, and behind it that with one more byte of zeros in each row.
  static constexpr auto table = [] {
    std::array<std::array<Word, 256>, 8> remainders{};
    for (std::size_t byte = 0; byte < 256; ++byte) {
      auto remainder = static_cast<Word>(byte);
      for (int bit = 0; bit < 64; ++bit) {
        remainder = (remainder >> 1) ^ (remainder & 1 ? polynomial : 0);
        if (bit % 8 == 7) remainders[static_cast<std::size_t>(bit / 8)][byte] = remainder;
      }
    }
    return remainders;
  }();
  Word sum = static_cast<Word>(~Word{0});
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    const std::uint64_t next = from_little_endian(bytes.substr(0, 8)) ^ sum;
    sum = 0;
    for (std::size_t i = 0; i < 8; ++i) sum ^= table[7 - i][next >> (8 * i) & 0xFF];
  }
  for (const char byte : bytes) sum = table[0][(sum ^ static_cast<unsigned char>(byte)) & 0xFF] ^ (sum >> 8);
  return static_cast<Word>(~sum);
}

/// CRC-64/XZ, that of the .xz file format: the polynomial of ECMA-182 (annex B).
inline std::uint64_t crc64(std::string_view bytes) noexcept {
  return cyclic_redundancy_check<std::uint64_t, 0xC96C5795D7870F42>(bytes);
}

/// CRC-32, that of zip archives: the polynomial of ISO/IEC 8802-3.
inline std::uint32_t crc32(std::string_view bytes) noexcept {
  return cyclic_redundancy_check<std::uint32_t, 0xEDB88320>(bytes);
}

}  // namespace packseq::detail
