// How long a document may be, and that no text, however long its lines are, fills the memory.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <streambuf>
#include <string>
#include <vector>

#include "packseq/text/document_reader.hpp"

namespace packseq {
namespace {

using ::testing::ElementsAre;
using ::testing::ThrowsMessage;

std::vector<std::string> read_limited(const std::string& text, std::int64_t max, DocumentReaderOptions options = {}) {
  std::istringstream stream(text);
  options.max_document_bytes = max;
  DocumentReader reader(stream, "notes.txt", options);
  std::vector<std::string> result;
  while (const auto document = reader.next()) result.emplace_back(*document);
  return result;
}

/// Of a text that is too long for 5 bytes.
auto throws_limit(int line) {
  return ThrowsMessage<std::runtime_error>("notes.txt, line " + std::to_string(line) +
                                           ": the document is longer than 5 bytes, which is max_document_bytes");
}

TEST(DocumentReaderLimit, IsTheLongestDocument) {
  EXPECT_THAT(read_limited("abcde\n\nabcde", 5), ElementsAre("abcde", "abcde"));
  EXPECT_THAT([] { read_limited("abcde\nabcdef\n", 5); }, throws_limit(2));
  EXPECT_THAT([] { read_limited("\nabcdef", 5); }, throws_limit(2));
}

TEST(DocumentReaderLimit, DoesNotCountByteOrderMarkAndLineEnd) {
  EXPECT_THAT(read_limited("\xEF\xBB\xBF"
                           "abcde\r\nabcde\r\n",
                           5),
              ElementsAre("abcde", "abcde"));
  EXPECT_THAT(
      [] {
        read_limited(
            "\xEF\xBB\xBF"
            "abcdef\r\n",
            5);
      },
      throws_limit(1));
}

TEST(DocumentReaderLimit, CountsAParagraphAsAWhole) {
  const DocumentReaderOptions paragraphs = {.split = Split::paragraph};
  EXPECT_THAT(read_limited("ab\ncd\n\nabcde\n  \nabcde", 5, paragraphs), ElementsAre("ab\ncd", "abcde", "abcde"));
  EXPECT_THAT([&] { read_limited("\nab\ncde\n", 5, paragraphs); }, throws_limit(2));
  EXPECT_THAT([&] { read_limited("ab\nabcdef\n", 5, paragraphs); }, throws_limit(1));
  EXPECT_THAT([&] { read_limited("ab\n        \nab", 5, paragraphs); }, throws_limit(1));
}

TEST(DocumentReaderLimit, HoldsForBlankLinesAndReplacedText) {
  EXPECT_THAT([] { read_limited("ab\n      \n", 5); }, throws_limit(2));
  EXPECT_THAT(read_limited("ab\xFF\n", 5, {.invalid_utf8 = InvalidUtf8::replace}), ElementsAre("ab\uFFFD"));
  EXPECT_THAT([] { read_limited("abc\xFF\n", 5, {.invalid_utf8 = InvalidUtf8::replace}); }, throws_limit(1));
}

/// Gives the same byte for ever, and knows how often.
class Endless : public std::streambuf {
 public:
  explicit Endless(char byte) : bytes_(4096, byte) {}

  std::int64_t given() const { return given_; }

 protected:
  int_type underflow() override {
    given_ += static_cast<std::int64_t>(bytes_.size());
    setg(bytes_.data(), bytes_.data(), bytes_.data() + bytes_.size());
    return traits_type::to_int_type(bytes_.front());
  }

 private:
  std::string bytes_;
  std::int64_t given_ = 0;
};

TEST(DocumentReaderLimit, EndsAnEndlessLine) {
  for (const auto split : {Split::line, Split::paragraph}) {
    for (const char byte : {'x', ' ', '\r', '\xFF'}) {
      Endless endless(byte);
      std::istream stream(&endless);
      DocumentReader reader(stream, "endless",
                            {.split = split, .invalid_utf8 = InvalidUtf8::replace, .max_document_bytes = 1'000'000});
      EXPECT_THAT([&] { reader.next(); },
                  ThrowsMessage<std::runtime_error>("endless, line 1: the document is longer than 1000000 bytes, "
                                                    "which is max_document_bytes"));
      EXPECT_LT(endless.given(), 1'010'000);
    }
  }
}

TEST(DocumentReaderLimit, Is64MebibytesUnlessSaidOtherwise) {
  Endless endless('x');
  std::istream stream(&endless);
  DocumentReader reader(stream, "endless");
  EXPECT_THAT([&] { reader.next(); },
              ThrowsMessage<std::runtime_error>(
                  "endless, line 1: the document is longer than 67108864 bytes, which is max_document_bytes"));
}

TEST(DocumentReaderLimit, IsNotReachedByABinaryFile) {
  Endless endless('\0');
  std::istream stream(&endless);
  DocumentReader reader(stream, "endless");
  EXPECT_THAT([&] { reader.next(); },
              ThrowsMessage<std::runtime_error>("endless, line 1, byte 1 (0x00): a binary file, not text"));
  EXPECT_LT(endless.given(), 1'000'000);
}

TEST(DocumentReaderLimit, RefusesALimitBelowOne) {
  for (const std::int64_t max : {0, -1}) {
    EXPECT_THAT([max] { read_limited("", max); },
                ThrowsMessage<std::invalid_argument>("DocumentReader: max_document_bytes is " + std::to_string(max) +
                                                     ", and must be at least 1"));
  }
}

}  // namespace
}  // namespace packseq
