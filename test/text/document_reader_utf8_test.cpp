// What a document reader takes for text and what it refuses, which byte it then names, and what it replaces.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "packseq/text/document_reader.hpp"

namespace packseq {
namespace {

using namespace std::string_literals;
using ::testing::ThrowsMessage;

void read(const std::string& text, const DocumentReaderOptions& options = {}) {
  std::istringstream stream(text);
  DocumentReader reader(stream, "notes.txt", options);
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
                ThrowsMessage<std::runtime_error>(testing::StartsWith(
                    "notes.txt, line 3, byte 7 (" + hexadecimal(sequence[0]) +
                    "): not valid UTF-8; what is in Latin-1 "
                    "or Windows-1252 becomes so by iconv -f WINDOWS-1252 -t UTF-8, and InvalidUtf8::replace")));
  }
}

// The reader looks at eight bytes at a time, and at 64 in longer runs.
TEST(DocumentReaderUtf8, FindsABadByteWhereverItIs) {
  for (std::size_t before = 0; before < 150; ++before) {
    for (const int after : {0, 1, 6, 7, 8, 9, 20, 63, 64, 65, 140}) {
      const auto line_with = [&](char byte) {
        return std::string(before, 'a') + byte + std::string(static_cast<std::size_t>(after), 'a');
      };
      const std::string place = "notes.txt, line 1, byte " + std::to_string(before + 1);
      EXPECT_THAT([&] { read(line_with('\xFF')); },
                  ThrowsMessage<std::runtime_error>(testing::StartsWith(place + " (0xff): not valid UTF-8")));
      EXPECT_THAT([&] { read(line_with('\0')); },
                  ThrowsMessage<std::runtime_error>(place + " (0x00): a binary file, not text"));
    }
  }
}

TEST(DocumentReaderUtf8, CountsTheByteOrderMarkAmongTheBytes) {
  EXPECT_THAT(
      [] { read("\xEF\xBB\xBF get\xFF\n"); },
      ThrowsMessage<std::runtime_error>(testing::StartsWith("notes.txt, line 1, byte 8 (0xff): not valid UTF-8")));
}

TEST(DocumentReaderUtf8, ChecksEveryLineOfAParagraph) {
  EXPECT_THAT([] { read("a\nb\n\x01\0\n"s, {.split = Split::paragraph}); },
              ThrowsMessage<std::runtime_error>("notes.txt, line 3, byte 2 (0x00): a binary file, not text"));
}

/// `text`, one line, as the reader gives it.
std::string replaced(const std::string& text) {
  std::istringstream stream("x" + text);
  DocumentReader reader(stream, "notes.txt", {.invalid_utf8 = InvalidUtf8::replace});
  return std::string(reader.next().value_or("nothing").substr(1));
}

/// `text` with each "?" replaced by U+FFFD.
std::string with_replacements(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '?' ? "\uFFFD" : std::string(1, c);
  return result;
}

// Tables 3-8 to 3-11 of The Unicode Standard, version 15, section 3.9.
TEST(DocumentReaderUtf8, ReplacesAsUnicodeShows) {
  EXPECT_EQ(replaced("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"), with_replacements("????????A"));
  EXPECT_EQ(replaced("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"), with_replacements("????????A"));
  EXPECT_EQ(replaced("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"), with_replacements("?????A??B"));
  EXPECT_EQ(replaced("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), with_replacements("????A"));
}

/// Every character that Unicode has, and every proper beginning of one.
struct Characters {
  std::unordered_set<std::string> whole;
  std::unordered_set<std::string> beginnings;

  Characters() {
    for (std::uint32_t code_point = 1; code_point <= 0x10FFFF; ++code_point) {
      if (code_point >= 0xD800 && code_point <= 0xDFFF) continue;
      const int size = code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
      const std::string character = encoded(code_point, size);
      for (std::size_t part = 1; part < character.size(); ++part) beginnings.insert(character.substr(0, part));
      whole.insert(character);
    }
  }

  /// What is not UTF-8 replaced by definition: the longest beginning of a character, or else one byte.
  std::string replaced(std::string_view text) const {
    std::string result;
    while (!text.empty()) {
      std::size_t size = 1;
      const auto is_in = [&](const auto& set, std::size_t n) { return set.contains(std::string(text.substr(0, n))); };
      std::size_t character = 4;
      while (character > 0 && !is_in(whole, character)) --character;
      for (std::size_t n = 2; n < 4; ++n) size = is_in(beginnings, n) ? n : size;
      result += character > 0 ? text.substr(0, character) : "\uFFFD";
      text.remove_prefix(std::min(text.size(), character > 0 ? character : size));
    }
    return result;
  }
};

TEST(DocumentReaderUtf8, ReplacesTheMaximalSubparts) {
  const Characters characters;
  const std::string bytes = "a\x80\x8F\x90\x9F\xA0\xBF\xC1\xC2\xDF\xE0\xE1\xED\xEF\xF0\xF1\xF4\xF5\xFF";
  std::mt19937 random(1);
  std::uniform_int_distribution<std::size_t> size(0, 24);
  std::uniform_int_distribution<std::size_t> byte(0, bytes.size() - 1);
  for (int trial = 0; trial < 20'000; ++trial) {
    std::string text(size(random), ' ');
    for (char& c : text) c = bytes[byte(random)];
    ASSERT_EQ(replaced(text), characters.replaced(text)) << ::testing::PrintToString(text);
  }
}

TEST(DocumentReaderUtf8, ReplacesInEveryLineAndNothingElse) {
  std::istringstream stream("\xEF\xBB\xBFgo\xFF\r\n\u20AC\n\xE2\x82\n");
  DocumentReader reader(stream, "notes.txt", {.split = Split::paragraph, .invalid_utf8 = InvalidUtf8::replace});
  EXPECT_EQ(reader.next(), "go\uFFFD\n\u20AC\n\uFFFD");
}

TEST(DocumentReaderUtf8, RefusesAZeroByteAlsoWhereItReplaces) {
  EXPECT_THAT([] { read("\xFF\0"s, {.invalid_utf8 = InvalidUtf8::replace}); },
              ThrowsMessage<std::runtime_error>("notes.txt, line 1, byte 2 (0x00): a binary file, not text"));
}

}  // namespace
}  // namespace packseq
