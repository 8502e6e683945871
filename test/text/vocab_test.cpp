#include "packseq/text/vocab.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "packseq/text/document_reader.hpp"

namespace packseq {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::ThrowsMessage;

const std::vector<std::string> three_documents = {"on your mark", "get set", "go"};

std::vector<std::string> tokens(const Vocab& vocab) {
  std::vector<std::string> result;
  for (std::int64_t id = 0; id < vocab.size(); ++id) result.emplace_back(vocab.token(id));
  return result;
}

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

TEST(Vocab, IsAHashTableThatHoldsTokensOfAnyBytes) {
  std::mt19937 random(1);
  std::vector<std::string> different;
  for (int first = 0; first < 256; ++first) {
    for (std::size_t size = 0; size < 40; ++size) {
      std::string token(size, static_cast<char>(first));
      for (char& c : token) c ^= static_cast<char>(random() % 4);
      different.push_back(token);
    }
  }
  std::sort(different.begin(), different.end());
  different.erase(std::unique(different.begin(), different.end()), different.end());
  const Tokenizer whole = [](std::string_view document, const TokenSink& emit) { emit(document); };
  const auto vocab = Vocab::build(different, {.specials = {}, .tokenizer = whole});
  ASSERT_EQ(tokens(vocab), different);
  for (const std::string& token : different) {
    ASSERT_EQ(vocab.token(vocab.id(token)), token);
    const std::string longer = token + '\0';
    ASSERT_EQ(vocab.find(longer).has_value(), std::binary_search(different.begin(), different.end(), longer));
  }
}

// The table compares tokens only where a hash has the right bits; these are made for it.
TEST(Vocab, TellsTokensApartWhoseHashesAreAlike) {
  constexpr std::uint64_t multiplier = 0x9E3779B97F4A7C15;
  const auto mix = [](std::uint64_t bits) { return (bits * multiplier) ^ (bits * multiplier) >> 32; };
  const auto unmix = [](std::uint64_t bits) {
    std::uint64_t inverse = multiplier;  // of the multiplier: each round doubles the bits that are right
    for (int round = 0; round < 5; ++round) inverse *= 2 - multiplier * inverse;
    return (bits ^ bits >> 32) * inverse;
  };
  const auto bytes = [](std::uint64_t word) {
    std::string text;
    for (int byte = 0; byte < 8; ++byte) text += static_cast<char>(word >> 8 * byte);
    return text;
  };
  std::vector<std::string> alike;
  for (std::uint64_t i = 0; i < 500; ++i) {
    alike.push_back(bytes(8 ^ unmix(unmix(0x123456789ABCDEF0 ^ i << 20))));
    alike.push_back(bytes(i) + bytes(mix(16 ^ i) ^ 0x5555));
  }
  const Tokenizer whole = [](std::string_view document, const TokenSink& emit) { emit(document); };
  const std::vector<std::string> half(alike.begin(), alike.begin() + 500);
  const auto vocab = Vocab::build(half, {.specials = {}, .tokenizer = whole});
  ASSERT_EQ(tokens(vocab), half);
  for (std::size_t i = 0; i < alike.size(); ++i) ASSERT_EQ(vocab.find(alike[i]).has_value(), i < 500);
}

/// Enough documents for many threads; some are long, many have words that no other has.
std::vector<std::string> many_documents() {
  std::mt19937 random(7);
  std::vector<std::string> documents;
  for (std::size_t document = 0; document < 30'000; ++document) {
    std::string text;
    for (std::size_t words = random() % (document % 1000 == 0 ? 5000 : 12); words > 0; --words) {
      text += "word" + std::to_string(random() % (1 + random() % 50'000)) + ' ';
    }
    documents.push_back(text);
  }
  return documents;
}

/// The rule, followed word by word.
std::vector<std::string> ranked_words(const std::vector<std::string>& documents) {
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> words;  // how often, and where first
  for (const std::string& document : documents) {
    std::istringstream stream(document);
    for (std::string word; stream >> word;) {
      const auto entry = words.emplace(word, std::pair(0, words.size())).first;
      --entry->second.first;
    }
  }
  std::vector<std::string> result;
  for (const auto& [word, rank] : words) result.push_back(word);
  std::sort(result.begin(), result.end(), [&](const auto& a, const auto& b) { return words[a] < words[b]; });
  return result;
}

TEST(Vocab, IsTheSameForAnyNumberOfThreads) {
  const auto documents = many_documents();
  const auto expected = ranked_words(documents);
  for (const int threads : {0, 1, 2, 3, 8}) {
    EXPECT_TRUE(tokens(Vocab::build(documents, {.specials = {}, .threads = threads})) == expected) << threads;
  }
}

TEST(Vocab, IsTheSameFromAReader) {
  std::mt19937 random(8);
  std::vector<std::string> documents;
  std::string text;
  for (int document = 0; document < 320; ++document) {  // 21 MB, which the reader gives in several batches
    std::string words(65'536, 'x');
    for (int word = 0; word < 10; ++word) words += " word" + std::to_string(random() % 2000);
    documents.push_back(words);
    text += words + "\n\n";
  }
  const auto expected = ranked_words(documents);
  for (const int threads : {1, 2}) {
    std::istringstream stream(text);
    DocumentReader reader(stream, "notes.txt");
    EXPECT_TRUE(tokens(Vocab::build(reader, {.specials = {}, .threads = threads})) == expected) << threads;
    EXPECT_EQ(reader.next(), std::nullopt);
  }
}

TEST(Vocab, BuildsOnWhatIsLeftInAReader) {
  std::istringstream stream("a\nb\nc\n");
  DocumentReader reader(stream, "notes.txt");
  reader.next();
  EXPECT_THAT(tokens(Vocab::build(reader)), ElementsAre("<pad>", "b", "c"));
  EXPECT_THAT(tokens(Vocab::build(reader)), ElementsAre("<pad>"));
}

TEST(Vocab, PassesOnWhatAReaderThrows) {
  std::istringstream stream("a\n\xFF\n");
  DocumentReader reader(stream, "notes.txt");
  EXPECT_THAT([&] { Vocab::build(reader); },
              ThrowsMessage<std::runtime_error>("notes.txt, line 2, byte 1 (0xff): not valid UTF-8"));
}

TEST(Vocab, PassesOnWhatTheTokenizerThrowsForTheFirstDocument) {
  const std::vector<std::string> documents(5000, std::string(1000, 'x'));
  for (const std::size_t first : {0U, 700U, 4300U}) {
    const Tokenizer throws = [&](std::string_view document, const TokenSink&) {
      std::size_t number = 0;
      while (documents[number].data() != document.data()) ++number;
      if (number >= first) throw std::domain_error("document " + std::to_string(number));
    };
    EXPECT_THAT([&] { Vocab::build(documents, {.tokenizer = throws, .threads = 4}); },
                ThrowsMessage<std::domain_error>("document " + std::to_string(first)));
  }
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
              ThrowsMessage<std::out_of_range>("Vocab::id: unknown token 'foo': the vocabulary has 7 tokens and no "
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
