#include "packseq/nn/vector_table.hpp"

#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "packseq/nn/embedded.hpp"
#include "packseq/nn/per_token.hpp"
#include "packseq/sequence/encode.hpp"
#include "support/sequences.hpp"
#include "support/throws.hpp"

namespace packseq::nn {
namespace {

const std::vector<std::string> documents = {"Apple apple PEAR fig", "Nut fig fig"};
const auto fruit = Vocab::build(documents, {.specials = {"<pad>", "<unk>"}, .unknown = "<unk>"});

VectorTable table_of(const std::string& text, const VectorTableOptions& options = {}, const Vocab& vocab = fruit) {
  std::istringstream stream(text);
  WordVectorReader reader(stream, "words.vec");
  return read_vector_table(reader, vocab, options);
}

at::Tensor row_of(const VectorTable& table, std::string_view word) { return table.weight[fruit.id(word)]; }

const std::string vectors = "fig 1 2\napple 3 4\nfig 5 6\nkiwi 7 8\nApple 9 10\npear 11 12\nkiwi 0 0\n";

TEST(VectorTable, IsInTheOrderOfIds) {
  const auto table = table_of(vectors);
  EXPECT_EQ(table.weight.sizes(), at::IntArrayRef({fruit.size(), 2}));
  EXPECT_SAME(row_of(table, "fig"), torch::tensor({1.F, 2.F}));  // the first of two
  EXPECT_SAME(row_of(table, "apple"), torch::tensor({3.F, 4.F}));
  EXPECT_SAME(row_of(table, "Apple"), torch::tensor({9.F, 10.F}));  // not the one in lower case, which comes before
  EXPECT_SAME(row_of(table, "PEAR"), torch::tensor({11.F, 12.F}));
  EXPECT_SAME(row_of(table, "Nut"), torch::zeros(2));
  EXPECT_SAME(row_of(table, "<unk>"), torch::zeros(2));
  for (std::int64_t id = 0; id < fruit.size(); ++id) {
    EXPECT_EQ(table.found[id].item<bool>(), table.weight[id].ne(0).any().item<bool>()) << fruit.token(id);
  }
  EXPECT_EQ(table.found_exactly, 3);
  EXPECT_EQ(table.found_in_lower_case, 1);
  EXPECT_EQ(table.repeated, 1);  // the second "fig"; no one asks for "kiwi"
}

TEST(VectorTable, CountsTokens) {
  const auto table = table_of(vectors);
  const auto ids = encode(documents, fruit).values();
  EXPECT_EQ(table.found_tokens(ids), 6);
  EXPECT_EQ(table.found_tokens(ids.to(at::kInt).reshape({7, 1})), 6);
  EXPECT_EQ(table.found_tokens(torch::empty({0}, at::kLong)), 0);
  EXPECT_THROWS(table.found_tokens(torch::rand({2})), c10::TypeError, "must be int64 or int32");
  EXPECT_THROWS(table.found_tokens(torch::tensor({0, 99})), c10::IndexError,
                "ids are in 0 ... 99, and must be in 0 ... 6");
}

TEST(VectorTable, LooksUpInLowerCaseOnlyIfToldTo) {
  const auto table = table_of(vectors, {.lower_case = false});
  EXPECT_SAME(row_of(table, "PEAR"), torch::zeros(2));
  EXPECT_SAME(row_of(table, "Apple"), torch::tensor({9.F, 10.F}));
  EXPECT_EQ(table.found_in_lower_case, 0);
  const auto both = table_of("apple 3 4\napple 5 6\n");
  EXPECT_SAME(row_of(both, "Apple"), torch::tensor({3.F, 4.F}));
  EXPECT_EQ(both.found_exactly + both.found_in_lower_case, 2);
  EXPECT_EQ(both.repeated, 1);
}

TEST(VectorTable, CountsRowsWhoseWordHasComeBefore) {
  const auto vocab = Vocab::build(std::vector<std::string>{"The THE fig"});
  EXPECT_EQ(table_of("The 1\nthe 2\nTHE 3\nfig 4\n<pad> 5\nother 6\nother 7\n", {}, vocab).repeated, 0);
  EXPECT_EQ(table_of("The 1\nthe 2\nthe 3\n<pad> 4\n<pad> 5\nThe 6\n", {}, vocab).repeated, 3);
}

TEST(VectorTable, KeepsPaddingAtZero) {
  const auto table = table_of("<pad> 1 2\n<unk> 3 4\n", {.missing = Missing::vector, .missing_vector = torch::ones(2)});
  EXPECT_EQ(table.padding_idx, 0);
  EXPECT_SAME(table.weight[0], torch::zeros(2));
  EXPECT_FALSE(table.found[0].item<bool>());
  EXPECT_SAME(table.weight[1], torch::tensor({3.F, 4.F}));
  EXPECT_SAME(table.weight[2], torch::ones(2));
  EXPECT_EQ(table_of(vectors, {.padding_idx = 2}).padding_idx, 2);
  const auto without = Vocab::build(documents, {.specials = {}});
  const auto ones = table_of(vectors, {.missing = Missing::vector, .missing_vector = torch::ones(2)}, without);
  EXPECT_EQ(ones.padding_idx, std::nullopt);
  EXPECT_TRUE(ones.weight.ne(0).all().item<bool>());
}

TEST(VectorTable, DrawsMissingOnesWithTheSpreadOfTheOthers) {
  std::string text = "nan nan inf 0 0\n";
  std::vector<std::string> names;
  for (int i = 0; i < 3000; ++i) {
    names.push_back(std::to_string(i).append("th"));
    if (i % 2 == 0) text += names.back() + " 3 5 3 5\n";  // mean 4, deviation 1
  }
  names.emplace_back("nan");
  const auto vocab = Vocab::build(names);
  const VectorTableOptions options = {.missing = Missing::normal, .seed = 1};
  torch::manual_seed(7);
  const auto state = torch::rand(1);
  torch::manual_seed(7);
  const auto table = table_of(text, options, vocab);
  EXPECT_SAME(torch::rand(1), state);  // LibTorch's generator is not touched
  const at::Tensor drawn = table.weight.index({table.found.logical_not()}).slice(0, 1);
  EXPECT_EQ(drawn.sizes(), at::IntArrayRef({1500, 4}));
  EXPECT_NEAR(drawn.mean().item<double>(), 4, 0.05);
  EXPECT_NEAR(drawn.std().item<double>(), 1, 0.05);
  EXPECT_SAME(table.weight[0], torch::zeros(4));
  EXPECT_TRUE(at::equal(table_of(text, options, vocab).weight.nan_to_num(), table.weight.nan_to_num()));
  EXPECT_FALSE(at::equal(table_of(text, {.missing = Missing::normal, .seed = 2}, vocab).weight.nan_to_num(),
                         table.weight.nan_to_num()));
}

TEST(VectorTable, DrawsMissingOnesAlikeWhereTheOthersAre) {
  const auto table = table_of("fig 3 3\n", {.missing = Missing::normal});
  EXPECT_SAME(table.weight.slice(0, 1), torch::full({fruit.size() - 1, 2}, 3.F));
}

TEST(VectorTable, RefusesOptionsThatDoNotFit) {
  EXPECT_THROWS(table_of(vectors, {.missing = Missing::vector}), c10::ValueError, "missing_vector is not set");
  EXPECT_THROWS(table_of(vectors, {.missing_vector = torch::ones(2)}), c10::ValueError,
                "options.missing is not Missing::vector");
  for (const auto& vector : {torch::ones(3), torch::ones({1, 2}), torch::ones(2, at::kLong)}) {
    EXPECT_THROWS(table_of(vectors, {.missing = Missing::vector, .missing_vector = vector}), c10::ValueError,
                  "and must be floating-point [2] on the CPU");
  }
  for (const std::int64_t row : {std::int64_t{-1}, fruit.size()}) {
    EXPECT_THROWS(table_of(vectors, {.padding_idx = row}), c10::ValueError, "and must be in 0 ... 6");
  }
  for (const std::string row : {"kiwi 1 2\n", "fig nan inf\n"}) {
    EXPECT_THROWS(table_of(row, {.missing = Missing::normal}), c10::ValueError,
                  "the vectors have no finite number for any of the vocabulary's 7 words: there is no spread");
  }
}

TEST(EmbeddingFromPretrained, IsAsLibTorchs) {
  using Options = torch::nn::EmbeddingFromPretrainedOptions;
  const at::Tensor ids = torch::tensor({3, 1, 3, 0});
  for (const auto& options : {Options(), Options().freeze(false), Options().freeze(false).padding_idx(3),
                              Options().freeze(false).sparse(true), Options().max_norm(0.5)}) {
    const at::Tensor weight = torch::rand({5, 4});
    auto ours = Embedding::from_pretrained(weight.clone(), options);
    auto theirs = torch::nn::Embedding::from_pretrained(weight.clone(), options);
    const at::Tensor output = ours->torch::nn::EmbeddingImpl::forward(ids);
    const at::Tensor expected = theirs->forward(ids);
    EXPECT_SAME(output, expected);
    EXPECT_EQ(ours->weight.requires_grad(), theirs->weight.requires_grad());
    if (options.freeze()) continue;
    output.cos().sum().backward();
    expected.cos().sum().backward();
    EXPECT_TRUE(at::equal(ours->weight.grad().to_dense(), theirs->weight.grad().to_dense()));
  }
  const at::Tensor weight = torch::rand({5, 4});
  EXPECT_TRUE(Embedding::from_pretrained(weight)->weight.is_same(weight));
}

TEST(EmbeddingFromPretrained, RefusesWhatIsNoTable) {
  for (const auto& weight : {at::Tensor(), torch::rand({3}), torch::ones({3, 2}, at::kLong)}) {
    EXPECT_THROWS(Embedding::from_pretrained(weight), c10::ValueError, "Embedding::from_pretrained: embeddings is");
  }
  EXPECT_ANY_THROW(
      Embedding::from_pretrained(torch::rand({3, 2}), torch::nn::EmbeddingFromPretrainedOptions().padding_idx(3)));
}

TEST(EmbeddingFromPretrained, StaysFrozenInAnEmbeddedNetwork) {
  const at::Tensor weight = torch::rand({7, 4});
  EmbeddedLSTM network(Embedding::from_pretrained(weight), LSTM(4, 5));
  const auto packed = pack_sequence({torch::tensor({4, 4, 4, 4, 5}), torch::tensor({1})});
  network->forward(packed).output.data().sum().backward();
  EXPECT_FALSE(network->embedding->weight.grad().defined());
  EXPECT_TRUE(network->network->named_parameters()["weight_ih_l0"].grad().defined());
}

}  // namespace
}  // namespace packseq::nn
