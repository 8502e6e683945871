// Word vectors in word2vec's binary form, as two programs write it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>

#include "packseq/text/word_vectors.hpp"
#include "support/throws.hpp"
#include "text/vectors.hpp"

namespace packseq {
namespace {

using namespace std::string_literals;
using test::Rows;
using test::rows_of;

const std::string newline = "\n";  // word2vec's own tool
const std::string nothing;         // gensim

/// The file of these rows.
std::string binary(const Rows& rows, const std::string& end, const std::string& announced = "2") {
  std::string bytes = announced + ' ' + std::to_string(rows.front().second.size()) + '\n';
  for (const auto& [word, vector] : rows) {
    const std::size_t begin = bytes.append(word).append(1, ' ').size();
    bytes.resize(begin + vector.size() * sizeof(float));
    std::memcpy(&bytes[begin], vector.data(), vector.size() * sizeof(float));
    bytes += end;
  }
  return bytes;
}

const Rows some = {{"</s>", {0.5F, -1, 0}}, {"caf\u00E9", {3e-45F, 1e30F, std::numeric_limits<float>::infinity()}}};

TEST(BinaryWordVectors, EndInANewlineOrNot) {
  for (const auto& end : {newline, nothing}) {
    EXPECT_EQ(rows_of(binary(some, end)), some);
    EXPECT_EQ(rows_of(binary(some, end, "7")), some);
  }
  std::string without_last = binary(some, newline);
  without_last.pop_back();
  EXPECT_EQ(rows_of(without_last), some);
}

// One number is four bytes, which may be characters, or end in the middle of one.
TEST(BinaryWordVectors, AreToldFromTextWhateverTheirFirstNumberIs) {
  for (const std::string& number : {"abcd"s, "a\x8E\xE7\xE7"s, "abc\xE2"s}) {
    Rows rows = {{"a", {0}}, {"b", {1}}};
    std::memcpy(rows.front().second.data(), number.data(), number.size());
    for (const auto& end : {newline, nothing}) EXPECT_EQ(rows_of(binary(rows, end)), rows) << number;
  }
}

TEST(BinaryWordVectors, KeepWordsThatBeginWithANewline) {
  Rows rows = some;
  rows.push_back({"\n\n", {1, 2, 3}});
  EXPECT_EQ(rows_of(binary(rows, nothing)), rows);
  EXPECT_EQ(rows_of(binary(rows, newline)), rows);
  rows.push_back({"", {4, 5, 6}});
  EXPECT_EQ(rows_of(binary(rows, nothing)), rows);
  EXPECT_EQ(rows_of(binary(rows, newline)), rows);
}

TEST(BinaryWordVectors, MayBeLongerThanABlock) {
  Rows rows;
  for (int i = 0; i < 20'000; ++i) {
    rows.push_back({"word" + std::to_string(i), std::vector<float>(20, static_cast<float>(i))});
  }
  for (const auto& end : {newline, nothing}) {
    ASSERT_GT(binary(rows, end).size(), 1'700'000);
    EXPECT_EQ(rows_of(binary(rows, end)), rows);
  }
  rows.resize(1);
  rows.front().second.resize(300'000, 0.5F);  // more than the first block
  rows.push_back({"b", std::vector<float>(300'000, 1)});
  for (const auto& end : {newline, nothing}) EXPECT_EQ(rows_of(binary(rows, end)), rows);
}

TEST(BinaryWordVectors, RefuseAFileThatEndsWithinARecord) {
  for (const auto& end : {newline, nothing}) {
    const std::string whole = binary(some, end);
    const std::size_t first = 4 + 5 + 12 + end.size();
    for (std::size_t size = first + 1; size + end.size() < whole.size(); ++size) {
      EXPECT_THROWS(rows_of(whole.substr(0, size)), std::runtime_error,
                    "words.vec, record 2, byte " + std::to_string(first + 1) + ": the file ends within ");
    }
  }
}

TEST(BinaryWordVectors, RefuseAMissingNewline) {
  Rows rows(200, some.front());
  std::string bytes = binary(rows, newline);
  bytes.erase(bytes.size() - 1 - 18, 1);  // that of the record before the last
  EXPECT_THROWS(rows_of(bytes), std::runtime_error, "record 199, byte 3569: no newline behind its vector");
}

TEST(BinaryWordVectors, RefuseWordsThatAreNoText) {
  Rows rows = some;
  rows[1].first = "na\xEFve";
  EXPECT_THROWS(rows_of(binary(rows, newline)), std::runtime_error,
                "record 2, byte 25: a word that is not valid UTF-8: if the word before it holds a blank");
  rows[1].first = "na\uFFFDve";
  Rows bad = rows;
  bad[1].first = "na\xEFve";
  EXPECT_EQ(rows_of(binary(bad, newline), {.invalid_utf8 = InvalidUtf8::replace}), rows);
  bad[1].first = std::string("a\0b", 3);
  EXPECT_THROWS(rows_of(binary(bad, newline), {.invalid_utf8 = InvalidUtf8::replace}), std::runtime_error,
                "record 2, byte 24: a zero byte in a word");
  EXPECT_THROWS(rows_of(binary({{"new york", {1, 2, 3}}, {"b", {1, 2, 3}}}, nothing)), std::runtime_error, "record 2");
  EXPECT_THROWS(rows_of(binary({some[0], {std::string(2'000'000, 'x'), {1, 2, 3}}}, nothing)), std::runtime_error,
                "record 2, byte 22: no word ends within a MiB");
}

}  // namespace
}  // namespace packseq
