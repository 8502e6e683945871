#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace packseq::data::detail {

/// The checksum CRC-64/XZ of `bytes`: the polynomial of ECMA-182 (annex B), lowest bit first, ones before and after. It
/// is that of the .xz file format; any change of up to 64 bits in a row is noticed.
inline std::uint64_t crc64(std::string_view bytes) noexcept {
  static constexpr auto table = [] {
    std::array<std::uint64_t, 256> remainders{};
    for (std::uint64_t byte = 0; byte < remainders.size(); ++byte) {
      std::uint64_t remainder = byte;
      for (int bit = 0; bit < 8; ++bit) remainder = (remainder >> 1) ^ (remainder & 1 ? 0xC96C5795D7870F42 : 0);
      remainders[byte] = remainder;
    }
    return remainders;
  }();
  std::uint64_t sum = ~std::uint64_t{0};
  for (const char byte : bytes) sum = table[(sum ^ static_cast<unsigned char>(byte)) & 0xFF] ^ (sum >> 8);
  return ~sum;
}

}  // namespace packseq::data::detail
