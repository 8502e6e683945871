#include "packseq/text/tokenizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace packseq {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> tokens(const Tokenizer& tokenizer, std::string_view document) {
  std::vector<std::string> result;
  tokenizer(document, [&result](std::string_view token) { result.emplace_back(token); });
  return result;
}

TEST(SplitWhitespace, GivesTheRunsBetweenWhiteSpaceInOrder) {
  EXPECT_THAT(tokens(split_whitespace, "on your mark"), ElementsAre("on", "your", "mark"));
  EXPECT_THAT(tokens(split_whitespace, "go"), ElementsAre("go"));
}

TEST(SplitWhitespace, TakesEveryAsciiWhiteSpaceAtBothEndsAndInRuns) {
  EXPECT_THAT(tokens(split_whitespace, " \t\n\v\f\r get \t\n\v\f\r set \t\n\v\f\r "), ElementsAre("get", "set"));
}

TEST(SplitWhitespace, GivesNothingForABlankDocument) {
  EXPECT_THAT(tokens(split_whitespace, ""), IsEmpty());
  EXPECT_THAT(tokens(split_whitespace, {}), IsEmpty());
  EXPECT_THAT(tokens(split_whitespace, " \t\n\v\f\r "), IsEmpty());
}

TEST(SplitWhitespace, KeepsBytesAndPunctuationAsTheyAre) {
  EXPECT_THAT(tokens(split_whitespace, "Don't, stop!"), ElementsAre("Don't,", "stop!"));
  // "à" ends in the byte that is a no-break space in Latin-1; next comes the no-break space of UTF-8.
  EXPECT_THAT(tokens(split_whitespace, "voil\xC3\xA0 un\xC2\xA0m\xC3\xB4t"),
              ElementsAre("voil\xC3\xA0", "un\xC2\xA0m\xC3\xB4t"));
}

TEST(SplitWhitespace, StaysInsideTheView) {
  EXPECT_THAT(tokens(split_whitespace, std::string_view("get settled").substr(0, 7)), ElementsAre("get", "set"));
}

/// Any bytes, many of them the same few.
std::string random_bytes(std::mt19937& random, std::string_view frequent) {
  std::string text(std::uniform_int_distribution<std::size_t>(0, 40)(random), ' ');
  std::uniform_int_distribution<int> byte(-128, 127);
  std::uniform_int_distribution<std::size_t> choice(0, 2 * frequent.size());
  for (char& c : text) {
    const std::size_t i = choice(random);
    c = i < frequent.size() ? frequent[i] : static_cast<char>(byte(random));
  }
  return text;
}

TEST(SplitWords, GivesWordsInLowerCaseAndPunctuation) {
  EXPECT_THAT(tokens(split_words, "Don't STOP (at 3.14)!"),
              ElementsAre("don", "'", "t", "stop", "(", "at", "3", ".", "14", ")", "!"));
  EXPECT_THAT(tokens(split_words, "go"), ElementsAre("go"));
  EXPECT_THAT(tokens(split_words, " \t\n\v\f\r "), IsEmpty());
  EXPECT_THAT(tokens(split_words, {}), IsEmpty());
}

TEST(SplitWords, TakesEveryAsciiPunctuation) {
  const std::string punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
  std::vector<std::string> expected;
  for (const char c : punctuation) expected.emplace_back(1, c);
  EXPECT_EQ(tokens(split_words, punctuation), expected);
}

TEST(SplitWords, KnowsAsciiAlone) {
  EXPECT_THAT(tokens(split_words, "\u00C9t\u00C9, \u00ABOui\u00A0!\u00BB"),
              ElementsAre("\u00C9t\u00C9", ",", "\u00ABoui\u00A0", "!", "\u00BB"));
}

/// The C library's classes, byte by byte, are those of ASCII in the "C" locale, in which tests run.
TEST(SplitWords, AgreesWithTheClassesOfTheCLibrary) {
  std::mt19937 random(1);
  for (int trial = 0; trial < 1000; ++trial) {
    const std::string text = random_bytes(random, "aBZ.,!  \n");
    std::vector<std::string> expected;
    bool in_word = false;
    for (const char c : text) {
      const int byte = static_cast<unsigned char>(c);
      const bool is_word = std::isspace(byte) == 0 && std::ispunct(byte) == 0;
      if (std::ispunct(byte) != 0 || (is_word && !in_word)) expected.emplace_back();
      if (std::isspace(byte) == 0) expected.back() += static_cast<char>(std::tolower(byte));
      in_word = is_word;
    }
    ASSERT_EQ(tokens(split_words, text), expected) << text;
  }
}

TEST(SplitCharacters, GivesEveryCodePoint) {
  EXPECT_THAT(tokens(split_characters, "a \u00E9\n\u65E5\U0001F600"),
              ElementsAre("a", " ", "\u00E9", "\n", "\u65E5", "\U0001F600"));
  EXPECT_THAT(tokens(split_characters, {}), IsEmpty());
}

TEST(SplitCharacters, TakesABadByteForATokenOfItsOwn) {
  EXPECT_THAT(tokens(split_characters, "\xE2\x82x\xFF\xE2\x82"),
              ElementsAre("\xE2", "\x82", "x", "\xFF", "\xE2", "\x82"));
  EXPECT_THAT(tokens(split_characters, std::string_view("\0a", 2)), ElementsAre(std::string(1, '\0'), "a"));
}

TEST(SplitCharacters, LosesNothing) {
  std::mt19937 random(2);
  for (int trial = 0; trial < 1000; ++trial) {
    const std::string text = random_bytes(random, "a\xE2\x82\xAC\xF0\x9F\x98\x80\xC3");
    std::string joined;
    for (const std::string& token : tokens(split_characters, text)) joined += token;
    ASSERT_EQ(joined, text);
  }
}

TEST(SplitLines, GivesLinesThatAreNotEmpty) {
  EXPECT_THAT(tokens(split_lines, "10 000\n\n \ngo\r\n"), ElementsAre("10 000", " ", "go\r"));
  EXPECT_THAT(tokens(split_lines, "go"), ElementsAre("go"));
  EXPECT_THAT(tokens(split_lines, "\n\n"), IsEmpty());
  EXPECT_THAT(tokens(split_lines, {}), IsEmpty());
}

TEST(Tokenizer, IsAnyCallable) {
  const Tokenizer by_comma = [](std::string_view document, const TokenSink& emit) {
    while (true) {
      const auto comma = document.find(',');
      emit(document.substr(0, comma));
      if (comma == std::string_view::npos) break;
      document.remove_prefix(comma + 1);
    }
  };
  EXPECT_THAT(tokens(by_comma, "a b,,c"), ElementsAre("a b", "", "c"));
}

}  // namespace
}  // namespace packseq
