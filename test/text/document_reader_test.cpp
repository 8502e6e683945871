#include "packseq/text/document_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <istream>
#include <sstream>
#include <stdexcept>
#include <streambuf>
#include <string>
#include <utility>
#include <vector>

namespace packseq {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::ThrowsMessage;

/// The line on which each document of `text` begins, and the document.
std::vector<std::pair<std::int64_t, std::string>> documents(const std::string& text, Split split = Split::line) {
  std::istringstream stream(text);
  DocumentReader reader(stream, "notes.txt", {.split = split});
  std::vector<std::pair<std::int64_t, std::string>> result;
  while (const auto document = reader.next()) result.emplace_back(reader.line(), *document);
  return result;
}

TEST(DocumentReader, SplitsAtLines) {
  EXPECT_THAT(documents("on your mark\nget set\ngo\n"),
              ElementsAre(Pair(1, "on your mark"), Pair(2, "get set"), Pair(3, "go")));
}

TEST(DocumentReader, SplitsAtParagraphs) {
  EXPECT_THAT(documents("\na\nb\n \t\n\nc\n\nd\ne\n", Split::paragraph),
              ElementsAre(Pair(2, "a\nb"), Pair(6, "c"), Pair(8, "d\ne")));
}

TEST(DocumentReader, SkipsBlankLinesAndTrimsNothing) {
  EXPECT_THAT(documents("\n  a \n \t\v\f\n\nb\n\n"), ElementsAre(Pair(2, "  a "), Pair(5, "b")));
}

TEST(DocumentReader, TakesTheNoBreakSpaceForText) {
  EXPECT_THAT(documents("a\n\xC2\xA0\n"), ElementsAre(Pair(1, "a"), Pair(2, "\xC2\xA0")));
}

TEST(DocumentReader, NeedsNoFinalNewline) {
  EXPECT_THAT(documents("a\nb"), ElementsAre(Pair(1, "a"), Pair(2, "b")));
  EXPECT_THAT(documents("a\n\nb\nc", Split::paragraph), ElementsAre(Pair(1, "a"), Pair(3, "b\nc")));
}

TEST(DocumentReader, FindsNothingInATextWithoutDocuments) {
  for (const auto split : {Split::line, Split::paragraph}) {
    for (const auto* const text : {"", "\n", " \t\n\r\n", "\xEF\xBB\xBF", "\xEF\xBB\xBF\r\n"}) {
      EXPECT_THAT(documents(text, split), IsEmpty());
    }
  }
}

TEST(DocumentReader, DropsCarriageReturnsBeforeNewlinesOnly) {
  EXPECT_THAT(documents("a\r\nb\rc\r\n\r\nd\r\r\ne\r"),
              ElementsAre(Pair(1, "a"), Pair(2, "b\rc"), Pair(4, "d\r"), Pair(5, "e")));
  EXPECT_THAT(documents("a\r\nb\r\n\r\nc\r\n", Split::paragraph), ElementsAre(Pair(1, "a\nb"), Pair(4, "c")));
}

TEST(DocumentReader, DropsAByteOrderMarkAtTheStartOnly) {
  EXPECT_THAT(documents("\xEF\xBB\xBFgo\n\xEF\xBB\xBFgo\n"), ElementsAre(Pair(1, "go"), Pair(2, "\xEF\xBB\xBFgo")));
}

TEST(DocumentReader, CountsTheLineOfTheLatestDocument) {
  std::istringstream stream("\na\n\n");
  DocumentReader reader(stream, "notes.txt");
  EXPECT_EQ(reader.line(), 0);
  EXPECT_EQ(reader.next(), "a");
  EXPECT_EQ(reader.line(), 2);
  EXPECT_EQ(reader.next(), std::nullopt);
  EXPECT_EQ(reader.next(), std::nullopt);
  EXPECT_EQ(reader.line(), 2);
}

TEST(DocumentReader, GoesOnWhereItWasAfterAMove) {
  std::istringstream stream("a\nb\nc\n");
  DocumentReader first(stream, "notes.txt");
  EXPECT_EQ(first.next(), "a");
  DocumentReader second(std::move(first));
  EXPECT_EQ(second.next(), "b");
  EXPECT_EQ(second.line(), 2);
  std::istringstream other("x\n");
  first = DocumentReader(other, "other.txt");
  EXPECT_EQ(first.next(), "x");
  first = std::move(second);
  EXPECT_EQ(first.next(), "c");
  EXPECT_EQ(first.line(), 3);
}

/// Gives a line and a half, and then fails.
class FailingDisk : public std::streambuf {
 public:
  FailingDisk() { setg(text_.data(), text_.data(), text_.data() + text_.size()); }

 protected:
  int_type underflow() override { throw std::ios_base::failure("input/output error"); }

 private:
  std::string text_ = "a\nb";
};

TEST(DocumentReader, RefusesToTakeAFailureForTheEnd) {
  FailingDisk disk;
  std::istream stream(&disk);
  DocumentReader reader(stream, "notes.txt");
  EXPECT_EQ(reader.next(), "a");
  EXPECT_THAT([&] { reader.next(); }, ThrowsMessage<std::runtime_error>("notes.txt, line 2: reading failed"));
}

TEST(DocumentReader, RefusesAStreamThatCouldNotBeOpened) {
  std::ifstream stream("no/notes.txt");
  DocumentReader reader(stream, "notes.txt");
  EXPECT_THAT([&] { reader.next(); }, ThrowsMessage<std::runtime_error>("notes.txt, line 1: reading failed"));
}

std::filesystem::path written(const std::string& text) {
  const auto file = std::filesystem::path(::testing::TempDir()) / "packseq_document_reader_test.txt";
  std::ofstream(file, std::ios::binary) << text;
  return file;
}

TEST(DocumentReader, ReadsFiles) {
  const auto file = written("on your mark\r\nget set\n\ngo");
  EXPECT_THAT(read_documents(file), ElementsAre("on your mark", "get set", "go"));
  EXPECT_THAT(read_documents(file, {.split = Split::paragraph}), ElementsAre("on your mark\nget set", "go"));
  EXPECT_THAT(read_documents(written("")), IsEmpty());
}

// The buffer begins with 64 KiB and doubles.
TEST(DocumentReader, ReadsLinesOfAnyLength) {
  for (const std::size_t buffer : {65'536U, 131'072U, 262'144U}) {
    for (std::size_t size = buffer - 5; size < buffer + 5; ++size) {
      const std::string line = std::string(size - 3, 'x') + "\u20AC";
      EXPECT_TRUE(read_documents(written(line + "\n\r\n" + line + "\r\na\n" + line)) ==
                  std::vector({line, line, std::string("a"), line}));
    }
  }
}

/// Gives a text byte by byte, and cannot tell how much of it there is, as a terminal cannot.
class ByteByByte : public std::streambuf {
 public:
  explicit ByteByByte(std::string text) : text_(std::move(text)) {}
  std::size_t taken() const { return place_; }

 protected:
  int_type underflow() override {
    return place_ < text_.size() ? traits_type::to_int_type(text_[place_]) : traits_type::eof();
  }
  int_type uflow() override {
    const auto byte = underflow();
    if (place_ < text_.size()) ++place_;
    return byte;
  }

 private:
  std::string text_;
  std::size_t place_ = 0;
};

TEST(DocumentReader, WaitsForNoMoreThanALine) {
  const std::string longest(200'000, 'x');
  ByteByByte bytes("go\n\nget set\r\n" + longest + "\nend");
  std::istream input(&bytes);
  DocumentReader reader(input, "text");
  EXPECT_EQ(reader.next(), "go");
  EXPECT_EQ(bytes.taken(), 3U);
  EXPECT_EQ(reader.next(), "get set");
  EXPECT_EQ(bytes.taken(), 13U);
  EXPECT_EQ(reader.next(), longest);
  EXPECT_EQ(reader.next(), "end");
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.next());
}

TEST(DocumentReader, NamesTheFileThatIsNotText) {
  const auto file = written("a\n\xFF\n");
  EXPECT_THAT([&] { read_documents(file); }, ThrowsMessage<std::runtime_error>(testing::StartsWith(
                                                 file.string() + ", line 2, byte 1 (0xff): not valid UTF-8")));
}

TEST(DocumentReader, RefusesAFileThatDoesNotExist) {
  EXPECT_THAT([] { DocumentReader("no/notes.txt"); }, ThrowsMessage<std::runtime_error>("no/notes.txt: no such file"));
}

TEST(DocumentReader, RefusesADirectory) {
  const auto directory = ::testing::TempDir();
  EXPECT_THAT([&] { DocumentReader{std::filesystem::path(directory)}; },
              ThrowsMessage<std::runtime_error>(directory + ": is a directory"));
}

TEST(DocumentReader, RefusesAFileThatCannotBeOpenedAndSaysWhy) {
  const std::string name(10'000, 'x');  // unlike a lack of permission, too long a name stops every user
  EXPECT_THAT([&] { DocumentReader{std::filesystem::path(name)}; },
              ThrowsMessage<std::runtime_error>(name + ": cannot be opened (File name too long)"));
}

}  // namespace
}  // namespace packseq
