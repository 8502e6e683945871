// What a document reader takes for text and what it refuses, and which byte it then names.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "packseq/text/document_reader.hpp"

namespace packseq {
namespace {

using namespace std::string_literals;
using ::testing::ThrowsMessage;

void read(const std::string& text, Split split = Split::line) {
  std::istringstream stream(text);
  DocumentReader reader(stream, "notes.txt", split);
  while (reader.next()) {
  }
}

/// The bytes of a code point in the given number of bytes, whether or not UTF-8 allows it.
std::string encoded(std::uint32_t code_point, int size) {
  if (size == 1) return {static_cast<char>(code_point)};
  std::string bytes(static_cast<std::size_t>(size), '\0');
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte, code_point >>= 6) {
    *byte = static_cast<char>(0x80 | (code_point & 0x3F));
  }
  bytes[0] = static_cast<char>(bytes[0] | (0xF00 >> size));
  return bytes;
}

TEST(DocumentReaderUtf8, TakesEveryCharacterThatUnicodeHas) {
  std::string text;
  std::vector<std::string> expected;
  for (std::uint32_t code_point = 1; code_point <= 0x10FFFF; ++code_point) {
    if (code_point == '\n' || (code_point >= 0xD800 && code_point <= 0xDFFF)) continue;
    const int size = code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    expected.push_back('x' + encoded(code_point, size) + 'x');
    text += expected.back() + '\n';
  }
  std::istringstream stream(text);
  DocumentReader reader(stream, "notes.txt");
  for (const std::string& document : expected) ASSERT_EQ(reader.next(), document);
  EXPECT_EQ(reader.next(), std::nullopt);
}

std::vector<std::string> byte_sequences_that_are_not_utf8() {
  std::vector<std::string> sequences = {"\x80", "\xBF", "\xF8\x88\x80\x80\x80", "\xFE", "\xFF", "\xFF\xFE"};
  const auto add = [&](std::uint32_t begin, std::uint32_t end, std::uint32_t step, int size) {
    for (std::uint32_t i = begin; i < end; i += step) sequences.push_back(encoded(i, size));
  };
  add(0, 0x80, 1, 2);                // overlong
  add(0, 0x800, 1, 3);               // overlong
  add(0, 0x10000, 0xFF, 4);          // overlong
  add(0xD800, 0xE000, 1, 3);         // surrogates
  add(0x110000, 0x200000, 4096, 4);  // beyond Unicode
  for (const auto& character : {"\xC2\x80"s, "\xE0\xA0\x80"s, "\xEF\xBF\xBF"s, "\xF0\x90\x80\x80"s}) {
    for (std::size_t size = 1; size < character.size(); ++size) sequences.push_back(character.substr(0, size));
  }
  return sequences;
}

std::string hexadecimal(char byte) {
  std::ostringstream text;
  text << "0x" << std::hex << static_cast<unsigned>(static_cast<unsigned char>(byte));
  return text.str();
}

TEST(DocumentReaderUtf8, RefusesWhatIsNotUtf8AndNamesItsFirstByte) {
  for (const std::string& sequence : byte_sequences_that_are_not_utf8()) {
    ASSERT_THAT([&] { read("a\n\nget \xC3\xA9" + sequence + "\nb\n"); },
                ThrowsMessage<std::runtime_error>("notes.txt, line 3, byte 7 (" + hexadecimal(sequence[0]) +
                                                  "): not valid UTF-8"));
  }
}

// The reader looks at eight bytes at a time.
TEST(DocumentReaderUtf8, FindsABadByteWhereverItIs) {
  for (std::size_t before = 0; before < 20; ++before) {
    for (std::size_t after = 0; after < 20; ++after) {
      const auto line_with = [&](char byte) { return std::string(before, 'a') + byte + std::string(after, 'a'); };
      const std::string place = "notes.txt, line 1, byte " + std::to_string(before + 1);
      EXPECT_THAT([&] { read(line_with('\xFF')); },
                  ThrowsMessage<std::runtime_error>(place + " (0xff): not valid UTF-8"));
      EXPECT_THAT([&] { read(line_with('\0')); },
                  ThrowsMessage<std::runtime_error>(place + " (0x00): a binary file, not text"));
    }
  }
}

TEST(DocumentReaderUtf8, CountsTheByteOrderMarkAmongTheBytes) {
  EXPECT_THAT([] { read("\xEF\xBB\xBF get\xFF\n"); },
              ThrowsMessage<std::runtime_error>("notes.txt, line 1, byte 8 (0xff): not valid UTF-8"));
}

TEST(DocumentReaderUtf8, ChecksEveryLineOfAParagraph) {
  EXPECT_THAT([] { read("a\nb\n\x01\0\n"s, Split::paragraph); },
              ThrowsMessage<std::runtime_error>("notes.txt, line 3, byte 2 (0x00): a binary file, not text"));
}

}  // namespace
}  // namespace packseq
