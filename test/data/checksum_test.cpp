#include "data/checksum.hpp"

#include <gtest/gtest.h>

#include <string>

namespace packseq::data {
namespace {

/// Bit by bit, as the division of polynomials is done by hand; highest bit first, so that bytes and result are
/// mirrored.
std::uint64_t crc64_by_division(const std::string& bytes) {
  const auto mirrored = [](std::uint64_t number, int bits) {
    std::uint64_t result = 0;
    for (int i = 0; i < bits; ++i) result |= (number >> i & 1) << (bits - 1 - i);
    return result;
  };
  std::uint64_t remainder = ~std::uint64_t{0};
  for (const char byte : bytes) {
    remainder ^= mirrored(static_cast<unsigned char>(byte), 8) << 56;
    for (int bit = 0; bit < 8; ++bit) {
      remainder = remainder << 1 ^ (remainder >> 63 != 0 ? 0x42F0E1EBA9EA3693 : 0);
    }
  }
  return mirrored(~remainder, 64);
}

TEST(Checksum, IsThatOfXz) {
  EXPECT_EQ(detail::crc64(""), 0U);
  EXPECT_EQ(detail::crc64("123456789"), 0x995DC9BBDF1939FAU);  // the check value that is published with its parameters
}

TEST(Checksum, IsTheRemainderOfADivision) {
  std::string bytes;
  for (int byte = 0; byte < 600; ++byte) {
    EXPECT_EQ(detail::crc64(bytes), crc64_by_division(bytes)) << bytes.size() << " bytes";
    bytes += static_cast<char>(byte * 7);
  }
}

}  // namespace
}  // namespace packseq::data
