#include "packseq/text/tag_scheme.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace packseq {
namespace {

using Tag = std::optional<std::string_view>;

/// Every pair that the scheme forbids, "before after"; "-" is what is before and behind a document.
std::vector<std::string> forbidden(TagScheme scheme, const std::vector<std::string_view>& tags) {
  std::vector<Tag> all(tags.begin(), tags.end());
  all.emplace_back();
  std::vector<std::string> result;
  for (const Tag& a : all) {
    for (const Tag& b : all) {
      if (!may_follow(scheme, a, b))
        result.push_back(std::string(a.value_or("-")) + " " + std::string(b.value_or("-")));
    }
  }
  return result;
}

TEST(TagScheme, LetsASpanGoOnAsItBegan) {
  using ::testing::UnorderedElementsAre;
  EXPECT_THAT(forbidden(TagScheme::iob2, {"O", "B-x", "I-x", "I-y"}),
              UnorderedElementsAre("O I-x", "O I-y", "- I-x", "- I-y", "B-x I-y", "I-x I-y", "I-y I-x"));
  EXPECT_THAT(forbidden(TagScheme::iob1, {"O", "B-x", "I-x", "I-y"}),
              UnorderedElementsAre("O B-x", "- B-x", "I-y B-x"));
  EXPECT_THAT(forbidden(TagScheme::iobes, {"O", "B-x", "I-x", "E-x", "S-x", "E-y"}),
              UnorderedElementsAre("O I-x", "O E-x", "O E-y",                                         //
                                   "- I-x", "- E-x", "- E-y",                                         //
                                   "B-x O", "B-x B-x", "B-x S-x", "B-x E-y", "B-x -",                 //
                                   "I-x O", "I-x B-x", "I-x S-x", "I-x E-y", "I-x -",                 //
                                   "E-x I-x", "E-x E-x", "E-x E-y", "S-x I-x", "S-x E-x", "S-x E-y",  //
                                   "E-y I-x", "E-y E-x", "E-y E-y"));
}

TEST(TagScheme, KnowsTagsWithoutAndWithAnyType) {
  EXPECT_TRUE(may_follow(TagScheme::iob2, "B", "I"));
  EXPECT_FALSE(may_follow(TagScheme::iob2, "B-x", "I"));
  EXPECT_TRUE(may_follow(TagScheme::iob2, "B-a-b", "I-a-b"));
  EXPECT_FALSE(may_follow(TagScheme::iob2, "B-a-b", "I-a"));
  EXPECT_TRUE(may_follow(TagScheme::iobes, std::nullopt, std::nullopt));
}

TEST(TagScheme, RefusesOtherTags) {
  const auto refused = [](TagScheme scheme, std::string_view tag, const std::string& text) {
    const auto what = testing::ThrowsMessage<std::invalid_argument>(testing::HasSubstr(text));
    EXPECT_THAT([&] { may_follow(scheme, tag, "O"); }, what);
    EXPECT_THAT([&] { may_follow(scheme, "O", tag); }, what);
  };
  refused(
      TagScheme::iob2, "E-x",
      "the tag \"E-x\" is not of the scheme IOB2: it must be \"O\", or one of the letters BI, alone or with \"-\" and "
      "a type behind it");
  refused(TagScheme::iob1, "S-x", "IOB1");
  refused(TagScheme::iobes, "L-x",
          "the tag \"L-x\" is not of the scheme IOBES: it must be \"O\", or one of the letters BIES");
  for (const auto* tag : {"", "<pad>", "o", "O-x", "B-", "Bx", "b-x", "x-B", "-", "PER"}) {
    refused(TagScheme::iob2, tag, '"' + std::string(tag) + '"');
  }
}

}  // namespace
}  // namespace packseq
