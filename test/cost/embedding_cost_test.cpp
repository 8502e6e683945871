#include "packseq/cost/embedding_cost.hpp"

#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include "support/sequences.hpp"

namespace packseq::cost {
namespace {

using c10::TypeError, c10::ValueError;

const Embedding words{.num_embeddings = 7, .embedding_dim = 4};

TEST(EmbeddingCost, CountsAdditionsOfTheBackwardPassOnly) {
  const auto lengths = torch::tensor({3, 0, 2, 1});
  EXPECT_EQ(forward_flops(words, lengths), 0);
  EXPECT_EQ(backward_flops(words, lengths), 24);
  EXPECT_EQ(backward_flops(words, torch::tensor({0, 0})), 0);
}

TEST(EmbeddingCost, IsWhatLibTorchAddsUp) {
  torch::nn::Embedding embedding(7, 4);
  const auto ids = torch::tensor({1, 2, 3, 1, 1, 6});
  embedding->forward(ids).sum().backward();
  // Every addition of a gradient of ones counts.
  EXPECT_EQ(backward_flops(words, torch::tensor({3, 2, 1})), embedding->weight.grad().sum().item<std::int64_t>());
}

TEST(EmbeddingCost, CountsTheBytesOfIdsAndVectors) {
  torch::nn::Embedding embedding(7, 4);
  const auto ids = torch::tensor({1, 2, 3, 1, 1, 6});
  const auto vectors = embedding->forward(ids);
  EXPECT_EQ(activation_bytes(words, torch::tensor({3, 2, 1})),
            static_cast<std::int64_t>(ids.nbytes() + vectors.nbytes()));
  EXPECT_EQ(activation_bytes(words, torch::tensor({3, 2, 1}), 2), 6 * (8 + 4 * 2));
}

const std::vector<std::tuple<std::string, std::function<void(const Embedding&, const at::Tensor&)>>>
    embedding_functions = {
        {"forward_flops", [](const auto& embedding, const auto& lengths) { forward_flops(embedding, lengths); }},
        {"backward_flops", [](const auto& embedding, const auto& lengths) { backward_flops(embedding, lengths); }},
        {"activation_bytes", [](const auto& embedding, const auto& lengths) { activation_bytes(embedding, lengths); }}};

TEST(EmbeddingCostRefusals, NameWhatIsWrong) {
  const auto lengths = torch::tensor({3, 2, 1});
  for (const auto& [name, function] : embedding_functions) {
    const auto& call = function;  // C++20 as clang 14 has it captures no structured binding
    EXPECT_THROWS(call({0, 4}, lengths), ValueError, name + ": embedding.num_embeddings is 0, and must be positive");
    EXPECT_THROWS(call({7, -4}, lengths), ValueError, name + ": embedding.embedding_dim is -4, and must be positive");
    EXPECT_THROWS(call(words, torch::tensor({1.0})), TypeError, name + ": lengths is Float on cpu");
    EXPECT_THROWS(call(words, torch::tensor(3)), ValueError, name + ": lengths has sizes []");
    EXPECT_THROWS(call(words, torch::empty({0}, at::kLong)), ValueError, name + ": lengths is empty");
    EXPECT_THROWS(call(words, torch::tensor({3, -1})), ValueError, name + ": lengths[1] is -1");
  }
}

TEST(EmbeddingCostRefusals, NameACountThatOutgrowsAnInt64) {
  constexpr auto huge = std::int64_t{1} << 62;
  EXPECT_THROWS(backward_flops({7, huge}, torch::tensor({2})), ValueError, "backward_flops: the count is 2^63 or more");
  EXPECT_THROWS(activation_bytes({7, huge}, torch::tensor({1})), ValueError, "activation_bytes: the count is 2^63");
}

TEST(EmbeddingCostRefusals, NameAnElementSizeThatIsNotPositive) {
  EXPECT_THROWS(activation_bytes(words, torch::tensor({1}), 0), ValueError,
                "activation_bytes: element_size is 0, and must be positive");
}

}  // namespace
}  // namespace packseq::cost
