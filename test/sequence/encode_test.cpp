#include "packseq/sequence/encode.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#include "support/sequences.hpp"

namespace packseq {
namespace {

TEST(Encode, NumbersTheWordsOfEachDocument) {
  const std::vector<std::string> documents = {"on your mark", "get set", "go"};
  const auto ids = encode(documents, Vocab::build(documents));
  EXPECT_SAME(ids.values(), torch::tensor({1, 2, 3, 4, 5, 6}));
  EXPECT_SAME(ids.lengths(), torch::tensor({3, 2, 1}));
}

TEST(Encode, KeepsDocumentsWithoutWords) {
  const auto ids = encode({"", "go go", " "}, Vocab::build({"go"}));
  EXPECT_SAME(ids.values(), torch::tensor({1, 1}));
  EXPECT_SAME(ids.lengths(), torch::tensor({0, 2, 0}));
}

TEST(Encode, MapsUnknownWordsWhereTheVocabularySaysHow) {
  const auto vocab = Vocab::build({"go"}, {.specials = {"<pad>", "<unk>"}, .unknown = "<unk>"});
  EXPECT_SAME(encode({"go west"}, vocab).values(), torch::tensor({2, 1}));
}

TEST(Encode, SplitsAsTheVocabularyDoes) {
  const Tokenizer letters = [](std::string_view document, const TokenSink& emit) {
    for (std::size_t i = 0; i < document.size(); ++i) emit(document.substr(i, 1));
  };
  const auto vocab = Vocab::build({"aab"}, {.tokenizer = letters});
  EXPECT_SAME(encode({"ba", "a"}, vocab).values(), torch::tensor({2, 1, 1}));
}

/// LibTorch's number of threads while it lasts.
class Threads {
 public:
  explicit Threads(int count) { at::set_num_threads(count); }
  ~Threads() { at::set_num_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_ = at::get_num_threads();
};

/// Enough text for many threads, in documents of very different length.
std::vector<std::string> many_documents() {
  std::mt19937 random(3);
  std::vector<std::string> documents(100'000);
  for (std::size_t document = 0; document < documents.size(); ++document) {
    for (std::size_t words = random() % (document % 10'000 == 0 ? 50'000 : 8); words > 0; --words) {
      documents[document] += std::to_string(random() % 1000) + ' ';
    }
  }
  return documents;
}

TEST(Encode, GivesTheSameOnAnyNumberOfThreads) {
  const auto documents = many_documents();
  const auto vocab = Vocab::build(documents);
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> lengths;
  for (const auto& document : documents) {
    const auto before = ids.size();
    split_whitespace(document, [&](std::string_view token) { ids.push_back(vocab.id(token)); });
    lengths.push_back(static_cast<std::int64_t>(ids.size() - before));
  }
  for (const int count : {1, 2, 3, 8}) {
    const Threads threads(count);
    const auto encoded = encode(documents, vocab);
    EXPECT_TRUE(at::equal(encoded.values(), torch::tensor(ids))) << count;
    EXPECT_TRUE(at::equal(encoded.lengths(), torch::tensor(lengths))) << count;
  }
}

TEST(Encode, UsesTwoThreadsWhereThereAreTwo) {
  if (!PACKSEQ_HAS_OPENMP) GTEST_SKIP() << "this compiler has no OpenMP";
  std::mutex mutex;
  std::set<std::thread::id> ids;
  const Tokenizer tokenizer = [&](std::string_view document, const TokenSink& emit) {
    const std::lock_guard lock(mutex);
    ids.insert(std::this_thread::get_id());
    emit(document.substr(0, 1));
  };
  const std::vector<std::string> documents(100, std::string(10'000, 'x'));
  const auto vocab = Vocab::build({"x"}, {.tokenizer = tokenizer});
  for (const int count : {1, 2}) {
    ids.clear();
    const Threads threads(count);
    encode(documents, vocab);
    EXPECT_EQ(ids.size(), count);
  }
}

TEST(Encode, ThrowsWhatTheFirstBadDocumentThrows) {
  auto documents = many_documents();
  const auto vocab = Vocab::build(documents);
  documents[90'001] = "1 far";
  documents[95'000] = "2 away";
  for (const int count : {1, 2, 8}) {
    const Threads threads(count);
    EXPECT_THROWS(encode(documents, vocab), c10::ValueError, "unknown word 'far' in documents[90001], token 1");
    const Tokenizer throws = [&](std::string_view document, const TokenSink&) {
      if (document == "2 away") throw std::domain_error("away");
      if (document == "1 far") throw std::domain_error("far");
    };
    EXPECT_THAT([&] { encode(documents, Vocab::build({}, {.tokenizer = throws})); },
                testing::ThrowsMessage<std::domain_error>("far"));
  }
}

TEST(Encode, RefusesAnUnknownWordAndSaysWhereItIs) {
  EXPECT_THROWS(encode({"go", "go far away"}, Vocab::build({"go away"})), c10::ValueError,
                "unknown word 'far' in documents[1], token 1");
}

TEST(Encode, RefusesNoDocuments) {
  EXPECT_THROWS(encode({}, Vocab::build({"go"})), c10::ValueError, "documents is empty");
}

}  // namespace
}  // namespace packseq
