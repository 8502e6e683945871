#include "packseq/text/word_vectors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>

#include "packseq/text/vocab.hpp"
#include "support/directory.hpp"
#include "support/throws.hpp"
#include "support/vocab.hpp"
#include "text/vectors.hpp"

namespace packseq {
namespace {

using namespace std::string_literals;
using test::Rows;
using test::rows_of;
using Limits = std::numeric_limits<float>;

/// Reading these bytes fails with this text.
void expect_refusal(const std::string& bytes, const std::string& message, const WordVectorOptions& options = {}) {
  SCOPED_TRACE(bytes.substr(0, 80));
  EXPECT_THROWS(rows_of(bytes, options), std::runtime_error, "words.vec" + message);
}

TEST(WordVectors, AreReadWithAHeaderAndWithout) {
  const Rows rows = {{"on", {0.5F, -1}}, {"go", {2, 1e-7F}}};
  EXPECT_EQ(rows_of("2 2\non 0.500000 -1.000000 \ngo 2.000000 1e-07 \n"),
            rows);  // as word2vec's own tool ends its rows
  EXPECT_EQ(rows_of("on 0.5 -1\ngo 2 1e-07\n"), rows);
  EXPECT_EQ(rows_of("\xEF\xBB\xBF"
                    "2 2\r\non 0.5 -1\r\ngo 2 1e-07\r\n"),
            rows);
  EXPECT_EQ(rows_of("\xEF\xBB\xBFon\t0.5\t-1\n\ngo 2  +1e-07"), rows);
}

TEST(WordVectors, TellWhatTheHeaderAnnounces) {
  std::istringstream text("1 2\na 1 2\n<unk> 3 4\n");
  WordVectorReader reader(text, "glove.txt");
  EXPECT_EQ(reader.announced(), 1);
  EXPECT_EQ(reader.dimension(), 2);
  EXPECT_EQ(test::all_rows(reader).size(), 2);  // GloVe counts one too few
  EXPECT_EQ(reader.count(), 2);
  std::istringstream without("a 1 2\n");
  EXPECT_EQ(WordVectorReader(without, "").announced(), std::nullopt);
  EXPECT_EQ(rows_of("0 300\n"), Rows{});
  EXPECT_EQ(rows_of("0 300"), Rows{});
}

TEST(WordVectors, MayHaveAnyWord) {
  const Rows rows = {{"new york", {1, 2}}, {"a\u00A0b", {1, 2}}, {"b\u0085c", {1, 2}},   {"", {1, 2}},
                     {" ", {1, 2}},        {"7", {1, 2}},        {"windows 95", {1, 2}}, {"nan", {1, 2}},
                     {". . .", {1, 2}},    {"new york", {3, 4}}};
  const std::string text =
      "new york 1.0 2.0\na\u00A0b 1.0 2.0\nb\u0085c 1.0 2.0\n 1.0 2.0\n  1.0 2.0\n7 1.0 2.0\nwindows 95 1.0 2.0\n"
      "nan 1.0 2.0\n. . . 1.0 2.0\nnew york 3.0 4.0\n";
  EXPECT_EQ(rows_of(text), rows);
  EXPECT_EQ(rows_of("10 2\n" + text), rows);
}

TEST(WordVectors, DropBlanksBehindAWord) {
  EXPECT_EQ(rows_of("a  1 2\nnew york\t \t1 2\nb\t\t1\t2\n"),
            (Rows{{"a", {1, 2}}, {"new york", {1, 2}}, {"b", {1, 2}}}));
  expect_refusal("2 2\na 1 2\nb 0.5  1 2\n", ", line 3: 3 numbers behind a word, and must be 2");
}

TEST(WordVectors, MayHaveAnyFloat) {
  const auto rows = rows_of("a 1e-45 -0.0 3.4028235e+38 1e-400\nb nan -nan inf -inf\nc 1e-46 -1E-50 .5 5.\n");
  ASSERT_EQ(rows.size(), 3);
  EXPECT_EQ(rows[0].second, (std::vector<float>{Limits::denorm_min(), -0.0F, Limits::max(), 0}));
  EXPECT_TRUE(std::signbit(rows[0].second[1]));
  EXPECT_TRUE(std::isnan(rows[1].second[0]) && std::isnan(rows[1].second[1]));
  EXPECT_EQ(rows[1].second[2], Limits::infinity());
  EXPECT_EQ(rows[1].second[3], -Limits::infinity());
  EXPECT_EQ(rows[2].second, (std::vector<float>{0, 0, 0.5F, 5}));
  EXPECT_TRUE(std::signbit(rows[2].second[1]));
  const std::string zeros(6000, '0');  // beyond any type of the processor
  const auto tiny = rows_of("a 1e-6000 -1E-6000 0." + zeros + "1 -." + zeros + "1\n")[0].second;
  EXPECT_EQ(tiny, (std::vector<float>(4, 0)));
  EXPECT_TRUE(!std::signbit(tiny[0]) && std::signbit(tiny[1]) && !std::signbit(tiny[2]) && std::signbit(tiny[3]));
  for (const auto& large : {"1e39"s, "1e6000"s, "-1E+6000"s, "1" + zeros, "-01" + zeros + ".5"}) {
    expect_refusal("1 2\na 1 " + large + "\n", ", line 2: '" + large.substr(0, 39));
  }
}

TEST(WordVectors, ComeBackToTheLastBit) {
  std::mt19937 random(1);
  for (int round = 0; round < 20; ++round) {
    Rows rows;
    std::string text;
    const auto dimension = 1 + random() % 9;
    for (std::size_t row = 0; row < 200; ++row) {
      rows.emplace_back(std::string(row + 1, 'w'), std::vector<float>(dimension));
      text += rows.back().first;
      for (float& value : rows.back().second) {
        do {
          const auto bits = static_cast<std::uint32_t>(random());
          std::memcpy(&value, &bits, sizeof value);
        } while (!std::isfinite(value));
        std::array<char, 40> digits{};
        text.append(1, ' ').append(digits.data(), std::to_chars(digits.data(), digits.end(), value).ptr);
      }
      text += '\n';
    }
    EXPECT_EQ(rows_of(text), rows);
  }
}

TEST(WordVectors, HaveTheWidthOfTheFirstHundredLines) {
  std::string text;
  for (int i = 0; i < 25; ++i) text += "7 2 3\nof 2 3\nof 1940 2 3\nto 2 3\n";  // words that are or end in a number
  EXPECT_EQ(rows_of(text + text).size(), 200);
  EXPECT_EQ(rows_of(text)[2], (Rows::value_type{"of 1940", {2, 3}}));
  expect_refusal(text + "go 3\n", ", line 101: 1 number behind a word, and must be 2");
  expect_refusal("a 1 2 3\nb 1 2 3\nc 1 2\nd 1 2 3\n", ", line 3: 2 numbers at its end, while other lines have more");
  EXPECT_EQ(rows_of("the 1940 2\n", {.dimension = 1}), (Rows{{"the 1940", {2}}}));
  EXPECT_EQ(rows_of("400000 300\n", {.dimension = 1}), (Rows{{"400000", {300}}}));
  expect_refusal("400000 300\n", ", line 1: the header tells 300 dimensions, but options.dimension is 50",
                 {.dimension = 50});
  expect_refusal("2 0\n", ", line 1: the header tells 0 dimensions, and must tell 1 ... 1000000");
  for (const std::int64_t dimension : {0, -1, 1'000'001}) {
    EXPECT_THROWS(rows_of("a 1\n", {.dimension = dimension}), std::invalid_argument,
                  "dimension is " + std::to_string(dimension) + ", and must be in 1 ... 1000000");
  }
}

// "6 1" is a header and a row: the number of rows tells.
TEST(WordVectors, OfOneNumberMayBeginWithAWordOfDigits) {
  const Rows rows = {{"5", {1}}, {"6", {8}}, {"7", {9}}};
  EXPECT_EQ(rows_of("5 1\n6 8\n7 9", {.dimension = 1}), rows);
  EXPECT_EQ(rows_of("5 1\n6 8\n7 9"), rows);
  for (const std::string header : {"3 1\n", "2 1\n"}) EXPECT_EQ(rows_of(header + "5 1\n\n6 8\n7 9\n"), rows);
  std::string text = "9 1\n";
  for (int i = 0; i < 200'000; ++i) text += "a 1\n\n\n";  // more than the first block: a header as any other
  EXPECT_EQ(rows_of(text).size(), 200'000);
}

TEST(WordVectors, RefuseRowsOfAnotherWidth) {
  expect_refusal("2 3\na 1 2 3\nb 1 2\n", ", line 3: 2 numbers behind a word, and must be 3");
  expect_refusal("2 2\na 1 2\nb 0.5 1 2\n", ", line 3: 3 numbers behind a word, and must be 2");
  expect_refusal("2 2\na 1 2\n1.5 2.5\n", ", line 3: 1 number behind a word, and must be 2");
  expect_refusal("2 2\na 1 2\nb 1 x\n", ", line 3: 'x' is no number");
  expect_refusal("2 2\na 1 2\nb 1 2,5\n", ", line 3: '2,5' is no number");
  expect_refusal("2 2\na 1 2\nb 1 1e39\n", ", line 3: '1e39' is beyond what a float holds");
  expect_refusal("2 2\na 1 2\n  \n", ", line 3: 0 numbers behind a word");
  expect_refusal("once upon a time\n", ", line 1: 0 numbers at its end: are these word vectors?");
  expect_refusal("a 1 2\nb 1\nc 1 2\n", ", line 2: 1 number at its end, while other lines have more");
  const std::string character = "\u4E2D";  // a message does not cut it
  expect_refusal("1 1\na " + std::string(39, 'x') + character + "\n",
                 ", line 2: '" + std::string(39, 'x') + "…' is no number");
}

TEST(WordVectors, RefuseAFileWhoseRowsAreWider) {
  const std::string wide = "a 1 2 3 4\nb 1 2 3 4\n";
  expect_refusal("2 3\n" + wide, ", line 2: 4 numbers behind a word, as in nearly all lines, and must be 3");
  expect_refusal(wide, ", line 1: 4 numbers behind a word, as in nearly all lines, and must be 3", {.dimension = 3});
  EXPECT_EQ(rows_of("3 3\n" + wide + "c 1 2 3\n").size(), 3);  // "a 1" and "b 1" are words
}

// The first block is looked at to tell binary vectors from text.
TEST(WordVectors, AreTextHoweverTheirFirstRowIsBroken) {
  std::string rows;
  for (int i = 0; i < 50; ++i) rows += "\u4E2D\u6587\u5B57 1 2 3\n";
  expect_refusal("50 4\n" + rows, ", line 2: 3 numbers behind a word, and must be 4");
  for (const std::string begin : {"", "x", "xx", "xxx"}) {
    expect_refusal(std::string("50 9\n").append(begin) + rows, ", line 2: 3 numbers behind a word, and must be 9");
  }
  expect_refusal("2 3\na 1 2 x\nb\x01 1 2 3\n", ", line 2: 'x' is no number");
  expect_refusal("2 4\ncaf\xE9 1 2 3", ", line 2, byte 4 (0xe9): not valid UTF-8");
}

TEST(WordVectors, RefuseOtherFilesWithTheNextStep) {
  expect_refusal("", ": is empty");
  expect_refusal("\n\n\n", ": no word vectors: its lines are empty");
  expect_refusal(std::string(2'000'000, '\n'), ": no word vectors: no line with a word ends within its first MiB");
  expect_refusal(std::string(2'000'000, 'x'), ": no word vectors: no line with a word ends within its first MiB");
  EXPECT_EQ(rows_of("\n\n", {.dimension = 2}), Rows{});
  expect_refusal("\x1F\x8B\x08...", ": is compressed by gzip: first write it as it was to another file, by zcat FILE");
  expect_refusal("PK\x03\x04...", ": is a zip archive");
  expect_refusal("\xBA\x16\x4F\x2F\x0C", ": is a model of fastText, not vectors: read the .vec file");
  expect_refusal("\x80\x05\x95...", ": is a pickled Python object");
  expect_refusal("caf\xE9 1 2\n", ", line 1, byte 4 (0xe9): not valid UTF-8");
  expect_refusal(std::string("a\0 1 2\n", 7), ", line 1, byte 2 (0x00)");
  EXPECT_EQ(rows_of("caf\xE9 1 2\n", {.invalid_utf8 = InvalidUtf8::replace}), (Rows{{"caf\uFFFD", {1, 2}}}));
}

TEST(WordVectors, AreNotReadFromAStreamThatFailed) {
  std::string bytes(20, '\0');
  std::istringstream used("a 1 2\nb 3 4\n");
  used.read(bytes.data(), 20);
  ASSERT_EQ(used.gcount(), 12);
  EXPECT_THROWS(WordVectorReader(used, "used"), std::runtime_error, "used: is empty");
  std::istringstream failed("a 1 2\n");
  failed.setstate(std::ios::failbit);
  EXPECT_THROWS(WordVectorReader(failed, "failed"), std::runtime_error, "failed: reading failed");
}

class WordVectorFile : public test::DirectoryTest {
 protected:
  WordVectorFile() : DirectoryTest("packseq_word_vectors", "words.vec") {}
};

TEST_F(WordVectorFile, IsReadAndMayBeMoved) {
  write("a 1 2\nb 3 4\n");
  WordVectorReader first(file_);
  ASSERT_TRUE(first.next());
  WordVectorReader second = std::move(first);
  EXPECT_EQ(test::all_rows(second), (Rows{{"b", {3, 4}}}));
  EXPECT_FALSE(second.next());
}

TEST_F(WordVectorFile, MustBeThereAndStayAsItIs) {
  EXPECT_THROWS(WordVectorReader{file_}, std::runtime_error, "words.vec: no such file");
  EXPECT_THROWS(WordVectorReader{directory_}, std::runtime_error, ": is a directory");
  write("a 1 2\nb 3 4\n");
  WordVectorReader reader(file_);
  ASSERT_TRUE(reader.next());
  std::filesystem::last_write_time(file_, std::filesystem::last_write_time(file_) + std::chrono::seconds(1));
  EXPECT_THROWS(while (reader.next()){}, std::runtime_error, "it was written to again");
}

TEST_F(WordVectorFile, MayBeLongerThanABlock) {
  std::string text;
  Rows rows;
  for (int i = 0; i < 50'000; ++i) {
    rows.push_back({"word" + std::to_string(i), {static_cast<float>(i), 0.25F, -3}});
    text += rows.back().first + ' ' + std::to_string(i) + " 0.25 -3.000000 \n";
  }
  ASSERT_GT(text.size(), 1'300'000);
  write(text);
  WordVectorReader reader(file_);
  EXPECT_EQ(test::all_rows(reader), rows);
}

TEST(VocabOfWordVectors, KeepsTheirOrder) {
  const auto vocab_of = [](const VocabOptions& options) {
    std::istringstream text("the 1\n<unk> 2\nof 3\nnew york 4\nof 5\nto 6\nbroken\n");
    WordVectorReader reader(text, "words.vec", {.dimension = 1});
    return test::tokens(Vocab::build(reader, options));
  };
  using Strings = std::vector<std::string>;
  EXPECT_EQ(vocab_of({.max_size = 5}), (Strings{"<pad>", "the", "<unk>", "of", "new york"}));
  EXPECT_EQ(vocab_of({.specials = {"<pad>", "<unk>"}, .unknown = "<unk>", .max_size = 6}),
            (Strings{"<pad>", "<unk>", "the", "of", "new york", "to"}));
  EXPECT_EQ(vocab_of({.max_size = 1}), (Strings{"<pad>"}));
  EXPECT_THROWS(vocab_of({}), std::runtime_error, "words.vec, line 7");
  EXPECT_THROWS(vocab_of({.min_frequency = 2}), std::invalid_argument, "min_frequency is 2, and must be 1");
}

}  // namespace
}  // namespace packseq
