#include "packseq/text/vocab.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/vocab.hpp"

namespace packseq {
namespace {

using test::tokens;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::ThrowsMessage;

const std::vector<std::string> three_documents = {"on your mark", "get set", "go"};

TEST(Vocab, NumbersSpecialsThenWordsByFirstAppearance) {
  const auto vocab = Vocab::build(three_documents);
  EXPECT_THAT(tokens(vocab), ElementsAre("<pad>", "on", "your", "mark", "get", "set", "go"));
  EXPECT_EQ(vocab.size(), 7);
  EXPECT_EQ(vocab.id("on"), 1);
}

TEST(Vocab, NumbersFrequentWordsFirstAndKeepsTiesInOrder) {
  const auto vocab = Vocab::build({"d c b", "c b a", "b"});
  EXPECT_THAT(tokens(vocab), ElementsAre("<pad>", "b", "c", "d", "a"));
}

TEST(Vocab, KeepsTiesInOrderHoweverMany) {
  std::vector<std::string> words;
  for (int i = 0; i < 1000; ++i) words.push_back(std::to_string(i * 7919 % 1000));
  EXPECT_EQ(tokens(Vocab::build(words, {.specials = {}})), words);
}

TEST(Vocab, IsATwoWayTable) {
  const auto vocab = Vocab::build({"a b c d e f g h", "h g f e", "h g", "h"}, {.specials = {"<pad>", "<s>"}});
  for (std::int64_t id = 0; id < vocab.size(); ++id) {
    EXPECT_EQ(vocab.id(vocab.token(id)), id);
    EXPECT_THAT(vocab.find(vocab.token(id)), Optional(id));
  }
}

TEST(Vocab, TakesAWordSpelledLikeASpecialForIt) {
  const auto vocab = Vocab::build({"a <pad> <pad> b b"});
  EXPECT_THAT(tokens(vocab), ElementsAre("<pad>", "b", "a"));
  EXPECT_EQ(vocab.id("<pad>"), 0);
}

TEST(Vocab, MayHaveNoSpecialsAndNoDocuments) {
  EXPECT_THAT(tokens(Vocab::build({"a b"}, {.specials = {}})), ElementsAre("a", "b"));
  EXPECT_THAT(tokens(Vocab::build({}, {.specials = {"<pad>", "<unk>"}})), ElementsAre("<pad>", "<unk>"));
  EXPECT_THAT(tokens(Vocab::build({}, {.specials = {}})), IsEmpty());
}

TEST(Vocab, FindsNothingForAWordWithoutAnIdOfItsOwn) {
  EXPECT_THAT(Vocab::build(three_documents).find("stop"), Eq(std::nullopt));
  EXPECT_THAT(Vocab::build(three_documents, {.specials = {"<unk>"}, .unknown = "<unk>"}).find("stop"),
              Eq(std::nullopt));
}

TEST(Vocab, GivesUnknownWordsTheIdOfTheUnknownToken) {
  const auto vocab = Vocab::build(three_documents, {.specials = {"<pad>", "<unk>"}, .unknown = "<unk>"});
  EXPECT_THAT(vocab.unknown_id(), Optional(1));
  EXPECT_EQ(vocab.id("stop"), 1);
  EXPECT_EQ(vocab.id("on"), 2);
  EXPECT_THAT(Vocab::build(three_documents).unknown_id(), Eq(std::nullopt));
}

TEST(Vocab, KeepsItsTokenizer) {
  const Tokenizer by_character = [](std::string_view document, const TokenSink& emit) {
    for (std::size_t i = 0; i < document.size(); ++i) emit(document.substr(i, 1));
  };
  const auto vocab = Vocab::build({"abcb"}, {.tokenizer = by_character});
  EXPECT_THAT(tokens(vocab), ElementsAre("<pad>", "b", "a", "c"));

  std::vector<std::string> split;
  vocab.tokenizer()("ab", [&split](std::string_view token) { split.emplace_back(token); });
  EXPECT_THAT(split, ElementsAre("a", "b"));
}

TEST(Vocab, IsAValue) {
  auto vocab = Vocab::build(three_documents);
  const auto copy = vocab;
  const auto moved = std::move(vocab);
  EXPECT_EQ(tokens(copy), tokens(moved));
  EXPECT_EQ(copy.id("go"), 6);
  EXPECT_EQ(moved.id("go"), 6);
}

TEST(Vocab, LeavesOutRareWords) {
  const std::vector<std::string> documents = {"a b c b", "c b <unk> d"};
  const std::vector<std::string> specials = {"<pad>", "<unk>"};
  EXPECT_THAT(tokens(Vocab::build(documents, {.specials = specials, .min_frequency = 2})),
              ElementsAre("<pad>", "<unk>", "b", "c"));
  EXPECT_THAT(tokens(Vocab::build(documents, {.specials = specials, .min_frequency = 4})),
              ElementsAre("<pad>", "<unk>"));
}

TEST(Vocab, KeepsTheMostFrequentWords) {
  const std::vector<std::string> documents = {"d c b", "c b a <pad> <pad>", "b"};
  EXPECT_THAT(tokens(Vocab::build(documents, {.max_size = 4})), ElementsAre("<pad>", "b", "c", "d"));
  EXPECT_THAT(tokens(Vocab::build(documents, {.min_frequency = 2, .max_size = 4})), ElementsAre("<pad>", "b", "c"));
  EXPECT_THAT(tokens(Vocab::build(documents, {.max_size = 1})), ElementsAre("<pad>"));
}

TEST(Vocab, RefusesNumbersOutOfRange) {
  EXPECT_THAT([] { Vocab::build({}, {.min_frequency = 0}); },
              ThrowsMessage<std::invalid_argument>("Vocab::build: min_frequency is 0, and must be at least 1"));
  EXPECT_THAT([] { Vocab::build({}, {.threads = -1}); },
              ThrowsMessage<std::invalid_argument>("Vocab::build: threads is -1, and must be at least 0"));
  for (const std::int64_t size : {-1, 1}) {
    EXPECT_THAT(
        [size] {
          Vocab::build({}, {.specials = {"<pad>", "<s>"}, .max_size = size});
        },
        ThrowsMessage<std::invalid_argument>("Vocab::build: max_size is " + std::to_string(size) +
                                             ", and must be at least 2, the number of specials"));
  }
}

TEST(Vocab, RefusesBadSpecials) {
  EXPECT_THAT(
      [] {
        Vocab::build({}, {.specials = {"<pad>", ""}});
      },
      ThrowsMessage<std::invalid_argument>("Vocab::build: specials[1] is empty"));
  EXPECT_THAT(
      [] {
        Vocab::build({}, {.specials = {"<pad>", "<s>", "<pad>"}});
      },
      ThrowsMessage<std::invalid_argument>("Vocab::build: specials[2], '<pad>', is listed twice"));
}

TEST(Vocab, RefusesAnUnknownTokenThatIsNoSpecial) {
  EXPECT_THAT(
      [] { Vocab::build({"<unk>"}, {.unknown = "<unk>"}); },
      ThrowsMessage<std::invalid_argument>("Vocab::build: unknown is '<unk>', and must be one of the specials"));
}

TEST(Vocab, RefusesAnEmptyTokenizer) {
  EXPECT_THAT([] { Vocab::build(three_documents, {.tokenizer = nullptr}); },
              ThrowsMessage<std::invalid_argument>("Vocab::build: tokenizer is empty"));
}

TEST(Vocab, RefusesTheIdOfAnUnknownWordWithoutAnUnknownToken) {
  const auto vocab = Vocab::build(three_documents);
  EXPECT_THAT([&vocab] { static_cast<void>(vocab.id("foo")); },
              ThrowsMessage<std::out_of_range>("Vocab::id: unknown word 'foo': the vocabulary has 7 tokens and no "
                                               "unknown token (see VocabOptions::unknown)"));
}

TEST(Vocab, RefusesAnIdOutOfRange) {
  const auto vocab = Vocab::build(three_documents);
  for (const std::int64_t id : {-1, 7, 9}) {
    EXPECT_THAT([&] { static_cast<void>(vocab.token(id)); },
                ThrowsMessage<std::out_of_range>("Vocab::token: id " + std::to_string(id) + " is not in 0 ... 6"));
  }
}

}  // namespace
}  // namespace packseq
