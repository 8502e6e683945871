#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace packseq::detail {

/// The number that these bytes, eight at most, are, the lowest byte first, whatever the machine.
constexpr std::uint64_t from_little_endian(std::string_view bytes) noexcept {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    number |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  return number;
}

/// The `size` lowest bytes of a number.
inline std::string to_little_endian(std::uint64_t number, std::size_t size) {
  std::string bytes;
  for (; bytes.size() < size; number >>= 8) bytes += static_cast<char>(number & 0xFF);
  return bytes;
}

}  // namespace packseq::detail
