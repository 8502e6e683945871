#include "packseq/sequence/map.hpp"

#include "support/sequences.hpp"

namespace packseq {
namespace {

const auto packed_words = pack_sequence(std::vector{torch::tensor({4, 5}), torch::tensor({1, 2, 3})});

TEST(Map, AppliesAModuleToEveryTokenAndKeepsTheLayout) {
  torch::nn::Embedding embedding(6, 4);
  const auto embedded = map(packed_words, embedding);
  EXPECT_SAME(embedded.data(), embedding(packed_words.data()));
  EXPECT_SAME(embedded.batch_sizes(), packed_words.batch_sizes());
  EXPECT_SAME(embedded.sorted_indices(), packed_words.sorted_indices());
  EXPECT_SAME(embedded.unsorted_indices(), packed_words.unsorted_indices());
}

TEST(Map, AppliesAFunction) {
  const auto doubled = map(packed_words, [](const at::Tensor& data) { return data * 2; });
  EXPECT_SAME(unpack_sequence(doubled)[0], torch::tensor({8, 10}));
}

TEST(Map, CarriesGradients) {
  torch::nn::Linear linear(2, 1);
  const auto input = torch::randn({5, 2}).requires_grad_();
  map(with_data(packed_words, input), linear).data().sum().backward();
  EXPECT_SAME(input.grad(), linear->weight.expand({5, 2}));
}

TEST(Map, RefusesDataThatIsNotOneRowForEachToken) {
  EXPECT_THROWS(map(packed_words, [](const at::Tensor& data) { return data.sum(); }), c10::ValueError,
                "at least one dimension");
  EXPECT_THROWS(with_data(packed_words, at::Tensor()), c10::ValueError, "at least one dimension");
  EXPECT_THROWS(with_data(packed_words, torch::ones(4)), c10::ValueError,
                "data has 4 rows, but the packed batch has 5 tokens");
  EXPECT_THROWS(with_data(packed_words, torch::ones(5, at::kMeta)), c10::TypeError,
                "data is on meta, but the packed batch is on cpu");
  EXPECT_THROWS(with_data(PackedSequence({}, torch::tensor({1})), torch::ones(1)), c10::ValueError,
                "packed.data is undefined");
  EXPECT_THROWS(with_data(packed_words, torch::ones(5).to_sparse()), c10::TypeError, "data is a Sparse tensor");
}

TEST(MapOfTwo, CombinesTokensAndKeepsTheLayout) {
  const auto weights = with_data(packed_words, torch::arange(5));
  const auto product = map(packed_words, weights, [](const at::Tensor& a, const at::Tensor& b) { return a * b; });
  EXPECT_SAME(product.data(), packed_words.data() * torch::arange(5));
  EXPECT_SAME(product.batch_sizes(), packed_words.batch_sizes());
  EXPECT_SAME(product.sorted_indices(), packed_words.sorted_indices());
}

TEST(MapOfTwo, TakesModulesAndCarriesGradients) {
  torch::nn::Bilinear bilinear(torch::nn::BilinearOptions(2, 3, 4));
  const auto a = torch::rand({5, 2}).requires_grad_();
  const auto b = torch::rand({5, 3}).requires_grad_();
  const auto combined = map(with_data(packed_words, a), with_data(packed_words, b), bilinear);
  EXPECT_SAME(combined.data(), bilinear(a, b));
  combined.data().sum().backward();
  EXPECT_TRUE(a.grad().defined() && b.grad().defined());
}

TEST(MapOfTwo, KnowsThatSortedDocumentsNeedNoIndices) {
  const PackedSequence with(torch::ones(3), torch::tensor({2, 1}), torch::tensor({0, 1}));
  const PackedSequence without(torch::ones(3), torch::tensor({2, 1}));
  const auto add = [](const at::Tensor& a, const at::Tensor& b) { return a + b; };
  EXPECT_SAME(map(with, without, add).data(), torch::full({3}, 2.F));
  EXPECT_SAME(map(without, with, add).data(), torch::full({3}, 2.F));
}

TEST(MapOfTwo, RefusesLayoutsThatDifferAndSaysWhere) {
  const auto refuse = [](const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b) {
    const auto pack = [](const std::vector<std::int64_t>& lengths) {
      std::vector<at::Tensor> sequences;
      for (const auto length : lengths) sequences.push_back(torch::ones(length));
      return pack_sequence(sequences);
    };
    map(pack(a), pack(b), [](const at::Tensor& first, const at::Tensor&) { return first; });
  };
  EXPECT_THROWS(refuse({3, 1}, {2, 2}), c10::ValueError, "map: the second batch has 2 steps, but the first 3");
  EXPECT_THROWS(refuse({3, 1, 1}, {3, 2}), c10::ValueError,
                "map: batch_sizes[0] of the second batch is 2, but that of the first 3");
  EXPECT_THROWS(refuse({3, 1}, {3, 1, 0}), c10::ValueError, "map: the second batch has 3 documents, but the first 2");
  EXPECT_THROWS(refuse({1, 3}, {3, 1}), c10::ValueError,
                "map: sorted_indices[0] of the second batch is 0, but that of the first 1");
}

TEST(MapOfTwo, RefusesAMalformedPack) {
  const PackedSequence bad(torch::ones(5), torch::tensor({1, 1}));
  const auto first = [](const at::Tensor& a, const at::Tensor&) { return a; };
  EXPECT_THROWS(map(bad, packed_words, first), c10::ValueError, "map: batch_sizes has the sum 2");
  EXPECT_THROWS(map(packed_words, bad, first), c10::ValueError, "map: batch_sizes has the sum 2");
}

}  // namespace
}  // namespace packseq
