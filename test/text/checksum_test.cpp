#include "text/checksum.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace packseq {
namespace {

/// Bit by bit, as the division of polynomials is done by hand; highest bit first, so that bytes and result are
/// mirrored.
template <class Word>
Word by_division(const std::string& bytes, Word polynomial) {
  constexpr int bits = 8 * sizeof(Word);
  const auto mirrored = [](Word number, int count) {
    Word result = 0;
    for (int i = 0; i < count; ++i) result |= (number >> i & 1) << (count - 1 - i);
    return result;
  };
  Word remainder = ~Word{0};
  for (const char byte : bytes) {
    remainder ^= mirrored(static_cast<unsigned char>(byte), 8) << (bits - 8);
    for (int bit = 0; bit < 8; ++bit) remainder = remainder << 1 ^ (remainder >> (bits - 1) != 0 ? polynomial : 0);
  }
  return mirrored(~remainder, bits);
}

TEST(Checksum, IsThatOfXzAndOfZip) {
  EXPECT_EQ(detail::crc64(""), 0U);
  EXPECT_EQ(detail::crc32(""), 0U);
  // The check values that are published with their parameters.
  EXPECT_EQ(detail::crc64("123456789"), 0x995DC9BBDF1939FAU);
  EXPECT_EQ(detail::crc32("123456789"), 0xCBF43926U);
}

TEST(Checksum, IsTheRemainderOfADivision) {
  std::string bytes;
  for (int byte = 0; byte < 600; ++byte) {
    EXPECT_EQ(detail::crc64(bytes), by_division<std::uint64_t>(bytes, 0x42F0E1EBA9EA3693)) << bytes.size() << " bytes";
    EXPECT_EQ(detail::crc32(bytes), by_division<std::uint32_t>(bytes, 0x04C11DB7)) << bytes.size() << " bytes";
    bytes += static_cast<char>(byte * 7);
  }
}

}  // namespace
}  // namespace packseq
