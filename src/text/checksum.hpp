#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "text/little_endian.hpp"

namespace packseq::detail {

/// A cyclic redundancy check of as many bits as `Word` has, lowest bit first, ones before and after: any change of up
/// to that many bits in a row is noticed. Several bytes are taken at once, by a table for each ("slicing": Kounavis and
/// Berry, A Systematic Approach to Building High Performance Software-Based CRC Generators, 2005): as many as there is
/// room for in 16 KB of tables.
template <class Word, Word polynomial>
Word cyclic_redundancy_check(std::string_view bytes) noexcept {
  constexpr std::size_t at_once = 64 / sizeof(Word);
  // Of a byte the remainder, and behind it that with one more byte of zeros in each row.
  static constexpr auto table = [] {
    std::array<std::array<Word, 256>, at_once> remainders{};
    for (std::size_t byte = 0; byte < 256; ++byte) {
      auto remainder = static_cast<Word>(byte);
      for (std::size_t bit = 0; bit < 8 * at_once; ++bit) {
        remainder = (remainder >> 1) ^ (remainder & 1 ? polynomial : 0);
        if (bit % 8 == 7) remainders[bit / 8][byte] = remainder;
      }
    }
    return remainders;
  }();
  Word sum = static_cast<Word>(~Word{0});
  for (; bytes.size() >= at_once; bytes.remove_prefix(at_once)) {
    std::uint64_t before = sum;
    sum = 0;
    for (std::size_t begin = 0; begin < at_once; begin += 8) {
      const std::uint64_t next = from_little_endian(bytes.substr(begin, 8)) ^ std::exchange(before, 0);
      for (std::size_t i = 0; i < 8; ++i) sum ^= table[at_once - 1 - begin - i][next >> (8 * i) & 0xFF];
    }
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
