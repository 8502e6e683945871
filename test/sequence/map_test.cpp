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
}

}  // namespace
}  // namespace packseq
