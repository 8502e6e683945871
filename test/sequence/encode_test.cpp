#include "packseq/sequence/encode.hpp"

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

TEST(Encode, RefusesAnUnknownWordAndSaysWhereItIs) {
  EXPECT_THROWS(encode({"go", "go far away"}, Vocab::build({"go away"})), c10::ValueError,
                "unknown word 'far' in documents[1], token 1");
}

TEST(Encode, RefusesNoDocuments) {
  EXPECT_THROWS(encode({}, Vocab::build({"go"})), c10::ValueError, "documents is empty");
}

}  // namespace
}  // namespace packseq
