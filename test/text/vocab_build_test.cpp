// Vocabularies of many words: their hash table, and how they are built on several threads and from a reader.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "packseq/text/document_reader.hpp"
#include "packseq/text/tokenizer.hpp"
#include "packseq/text/vocab.hpp"
#include "support/vocab.hpp"

namespace packseq {
namespace {

using test::tokens;
using ::testing::ElementsAre;
using ::testing::ThrowsMessage;

TEST(VocabBuild, IsAHashTableThatHoldsTokensOfAnyBytes) {
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
TEST(VocabBuild, TellsTokensApartWhoseHashesAreAlike) {
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

TEST(VocabBuild, IsTheSameForAnyNumberOfThreads) {
  const auto documents = many_documents();
  const auto expected = ranked_words(documents);
  for (const int threads : {0, 1, 2, 3, 8}) {
    EXPECT_TRUE(tokens(Vocab::build(documents, {.specials = {}, .threads = threads})) == expected) << threads;
  }
}

TEST(VocabBuild, CallsTheTokenizerInNoMoreThreadsThanItIsGiven) {
  const auto documents = many_documents();
  for (const int threads : {1, 2}) {
    std::mutex mutex;
    std::set<std::thread::id> callers;
    const Tokenizer notes_callers = [&](std::string_view document, const TokenSink& sink) {
      const std::lock_guard lock(mutex);
      callers.insert(std::this_thread::get_id());
      split_whitespace(document, sink);
    };
    Vocab::build(documents, {.tokenizer = notes_callers, .threads = threads});
    EXPECT_LE(callers.size(), static_cast<std::size_t>(threads));
  }
}

TEST(VocabBuild, IsTheSameFromAReader) {
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

TEST(VocabBuild, BuildsOnWhatIsLeftInAReader) {
  std::istringstream stream("a\nb\nc\n");
  DocumentReader reader(stream, "notes.txt");
  reader.next();
  EXPECT_THAT(tokens(Vocab::build(reader)), ElementsAre("<pad>", "b", "c"));
  EXPECT_THAT(tokens(Vocab::build(reader)), ElementsAre("<pad>"));
}

TEST(VocabBuild, PassesOnWhatAReaderThrows) {
  std::istringstream stream("a\n\xFF\n");
  DocumentReader reader(stream, "notes.txt");
  EXPECT_THAT(
      [&] { Vocab::build(reader); },
      ThrowsMessage<std::runtime_error>(testing::StartsWith("notes.txt, line 2, byte 1 (0xff): not valid UTF-8")));
}

TEST(VocabBuild, PassesOnWhatTheTokenizerThrowsForTheFirstDocument) {
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

}  // namespace
}  // namespace packseq
