#include "packseq/text/tokenizer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
