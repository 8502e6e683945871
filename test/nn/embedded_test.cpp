#include "packseq/nn/embedded.hpp"

#include <torch/nn/modules/container/sequential.h>

#include <string>
#include <type_traits>
#include <vector>

#include "nn/embedded_fixture.hpp"
#include "packseq/nn/state_dict.hpp"
#include "packseq/sequence/map.hpp"
#include "support/precision.hpp"

namespace packseq::test {
namespace {

TYPED_TEST_SUITE(EmbeddedTest, EmbeddedNetworks);

TYPED_TEST(EmbeddedTest, IsTheTwoModulesOneAfterTheOther) {
  for (const auto& of : all_embedded_cases()) {
    auto embedded = this->make(of);
    const auto ids = this->make_ids();
    for (const int threads : {1, 3}) {
      at::set_num_threads(threads);
      this->expect_as_modules(embedded, ids, this->make_state(of, ids));
    }
  }
}

TYPED_TEST(EmbeddedTest, TakesSmallIntegers) {
  auto embedded = this->make();
  this->expect_as_modules(embedded, map(this->make_ids(), [](const at::Tensor& ids) { return ids.to(at::kInt); }));
}

TYPED_TEST(EmbeddedTest, HoldsForEveryNumberOfDistinctWords) {
  for (const bool bidirectional : {false, true}) {
    auto embedded = this->make({.bidirectional = bidirectional});
    for (const std::int64_t distinct : {1, 2, 5, 6, 9}) {
      for (const std::int64_t documents : {1, 6, 20}) {
        this->expect_as_modules(
            embedded, map(this->make_ids(documents), [&](const at::Tensor& ids) { return ids.remainder(distinct); }));
      }
    }
  }
}

/// More tokens, and more distinct words, than the backward pass takes at a time.
TYPED_TEST(EmbeddedTest, HoldsForManyTokens) {
  constexpr std::int64_t many = 3000;
  std::vector<at::Tensor> documents;
  for (std::int64_t i = 0; i < 100; ++i) documents.push_back(torch::randint(0, many, {20 + i}, at::kLong));
  for (const int threads : {1, 3}) {
    at::set_num_threads(threads);
    auto embedded = this->make({.bidirectional = true}, {many, word_width});
    this->expect_as_modules(embedded, pack_sequence(documents));
  }
}

/// So many weights that threads share the steps of few documents.
TYPED_TEST(EmbeddedTest, HoldsWhereThreadsShareSteps) {
  at::set_num_threads(3);
  const EmbeddedCase of = {.layers = 2, .bidirectional = true, .hidden = 410};
  auto embedded = this->make(of);
  const auto ids = this->make_ids();
  this->expect_as_modules(embedded, ids);
  const torch::NoGradGuard no_grad;
  const auto expected = this->run_modules(embedded, ids);
  embedded->freeze();
  this->expect_same(this->run(embedded, ids), expected);
}

TYPED_TEST(EmbeddedTest, HoldsWithAProjection) {
  if (!this->is_lstm) return;
  for (const bool bidirectional : {false, true}) {
    const EmbeddedCase of = {.bidirectional = bidirectional, .with_state = true, .proj_size = 2};
    auto embedded = this->make(of);
    const auto ids = this->make_ids();
    this->expect_as_modules(embedded, ids, this->make_state(of, ids));
  }
}

/// To the last bit, and as each document alone. Gradients are rounded in other places.
TYPED_TEST(EmbeddedTest, HoldsWithProductsOfBfloat16) {
  const torch::NoGradGuard no_grad;
  for (const auto& of : all_embedded_cases()) {
    auto embedded = this->make(of);
    embedded->eval();
    const auto ids = this->make_ids();
    const auto state = this->make_state(of, ids);
    in_every_precision(of.dtype, [&] {
      const auto expected = this->run_modules(embedded, ids, state);
      for (const int threads : {1, 3}) {
        at::set_num_threads(threads);
        this->expect_same(this->run(embedded, ids, state), expected);
      }
      if (of.with_state) return;
      const auto outputs = unpack_sequence(with_data(ids, expected[0]));
      const auto documents = unpack_sequence(ids);
      for (std::int64_t i = 0; i < documents.size(); ++i) {
        EXPECT_SAME(embedded->forward(pack_sequence({documents[i]})).output.data(), outputs[i]);
      }
    });
  }
}

TYPED_TEST(EmbeddedTest, HasAGradientAsTheModules) {
  const EmbeddedCase of = {.layers = 2, .bidirectional = true, .dtype = at::kDouble};
  auto embedded = this->make(of);
  const auto ids = this->make_ids();
  const auto second = [&](const Tensors& outputs) {
    const auto inputs = embedded->parameters();
    return gradients(gradients(outputs, inputs, /*create_graph=*/true), inputs);
  };
  this->expect_same_gradients(second(this->run(embedded, ids)), second(this->run_modules(embedded, ids)));
}

TYPED_TEST(EmbeddedTest, KnowsTheOptionsOfEmbeddings) {
  using torch::nn::EmbeddingOptions;
  const auto ids = this->make_ids();
  for (const auto& options : {EmbeddingOptions(word_count, word_width).padding_idx(2),
                              EmbeddingOptions(word_count, word_width).max_norm(.5)}) {
    auto embedded = this->make({}, options);
    this->expect_as_modules(embedded, ids);
  }
  // LibTorch multiplies for these.
  auto scaled = this->make({}, EmbeddingOptions(word_count, word_width).scale_grad_by_freq(true));
  const auto inputs = scaled->parameters();
  this->expect_same_gradients(gradients(this->results(scaled->forward(ids)), inputs),
                              gradients(this->run_modules(scaled, ids), inputs));
}

TYPED_TEST(EmbeddedTest, GivesSparseGradients) {
  auto embedded = this->make({}, torch::nn::EmbeddingOptions(word_count, word_width).sparse(true));
  const auto ids = map(this->make_ids(), [](const at::Tensor& all) { return all.remainder(5); });
  const auto gradient = [&](const Tensors& outputs) {
    embedded->zero_grad();
    weighted_sum(outputs).backward();
    return embedded->embedding->weight.grad();
  };
  const at::Tensor actual = gradient(this->run(embedded, ids));
  const at::Tensor expected = gradient(this->run_modules(embedded, ids));
  ASSERT_TRUE(actual.is_sparse());
  EXPECT_EQ(actual._nnz(), 5);
  expect_near({actual.to_dense()}, {expected.to_dense()}, 1e-5);
}

TYPED_TEST(EmbeddedTest, TrainsWhatIsNotFrozen) {
  auto embedded = this->make();
  const auto ids = this->make_ids();
  for (const bool embedding : {false, true}) {
    embedded->embedding->weight.set_requires_grad(embedding);
    embedded->network->named_parameters()["weight_ih_l0"].set_requires_grad(!embedding);
    Tensors inputs;
    for (const auto& parameter : embedded->parameters()) {
      if (parameter.requires_grad()) inputs.push_back(parameter);
    }
    this->expect_same_gradients(gradients(this->run(embedded, ids), inputs),
                                gradients(this->run_modules(embedded, ids), inputs));
  }
}

TYPED_TEST(EmbeddedTest, RunsWhereTheEngineDoesNot) {
  auto embedded = this->make();
  const auto ids = this->make_ids();
  embedded->network->engine = engine::Choice::libtorch;
  const MultiplyAdds multiply_adds;
  expect_near(this->results(embedded->forward(ids)), this->run_modules(embedded, ids), 1e-6);
  EXPECT_GT(multiply_adds.count(), 0);
  embedded->to(at::kHalf);
  embedded->network->engine = engine::Choice::automatic;
  EXPECT_EQ(embedded->forward(ids).output.data().scalar_type(), at::kHalf);
}

TYPED_TEST(EmbeddedTest, IsAFewWordsLongButForEmptyDocuments) {
  auto embedded = this->make();
  const auto ids = pack_sequence({torch::empty({0}, at::kLong), torch::empty({0}, at::kLong)});
  this->expect_same(this->run(embedded, ids), this->run_modules(embedded, ids));
}

TYPED_TEST(EmbeddedTest, HasTheNamesAndWeightsOfItsModules) {
  auto embedded = this->make();
  std::vector<std::string> names;
  for (const auto& entry : nn::state_dict(*embedded)) names.push_back(entry.key());
  const std::string kind = this->is_lstm ? "lstm" : std::is_same_v<TypeParam, nn::GRU> ? "gru" : "rnn";
  EXPECT_EQ(names, (std::vector<std::string>{"embedding.weight", kind + ".weight_ih_l0", kind + ".weight_hh_l0",
                                             kind + ".bias_ih_l0", kind + ".bias_hh_l0"}));
  torch::nn::Embedding theirs(word_count, word_width);
  nn::load_state_dict(*theirs, nn::state_dict(*embedded), {.prefix = "embedding."});
  EXPECT_SAME(theirs->weight, embedded->embedding->weight);
}

TYPED_TEST(EmbeddedTest, ClonesDeeplyAndStandsInASequential) {
  auto embedded = this->make();
  embedded->eval();
  const auto ids = this->make_ids();
  const auto copy = std::dynamic_pointer_cast<nn::EmbeddedImpl<TypeParam>>(embedded->clone());
  ASSERT_TRUE(copy);
  EXPECT_FALSE(copy->is_training());
  embedded->train();
  embedded->network->eval();
  const auto mixed = std::dynamic_pointer_cast<nn::EmbeddedImpl<TypeParam>>(embedded->clone());
  EXPECT_TRUE(mixed->is_training() && mixed->embedding->is_training() && !mixed->network->is_training());
  this->expect_same(this->results(copy->forward(ids)), this->run(embedded, ids));
  const torch::NoGradGuard no_grad;
  copy->embedding->weight.zero_();
  EXPECT_FALSE(embedded->embedding->weight.eq(0).any().template item<bool>());
  torch::nn::Sequential network(embedded, nn::TakeOutput());
  EXPECT_SAME(network->forward<PackedSequence>(ids).data(), this->run(embedded, ids)[0]);
}

TYPED_TEST(EmbeddedTest, RefusesIdsThatAreNone) {
  auto embedded = this->make();
  const auto pack = [](const at::Tensor& ids) { return pack_sequence({ids}); };
  EXPECT_THROWS(embedded->forward(pack(torch::ones({3}))), c10::TypeError, "the data of ids is ");
  EXPECT_THROWS(embedded->forward(pack(torch::ones({3}, at::kShort))), c10::TypeError,
                "is Short on cpu, and must be int64 (Long) or int32 (Int) on cpu");
  EXPECT_THROWS(embedded->forward(pack(torch::ones({3, 2}, at::kLong))), c10::ValueError, "sizes [3, 2]");
  for (const std::int64_t id : {std::int64_t{-1}, word_count, std::int64_t{1} << 40}) {
    EXPECT_THROWS(embedded->forward(pack(torch::tensor(std::vector<std::int64_t>{0, 1, 1, 1, id}))), c10::IndexError,
                  "the data of ids has " + std::to_string(id) + " at 4, and must be in 0 ... 8");
  }
}

TYPED_TEST(EmbeddedTest, RefusesModulesThatDoNotFit) {
  EXPECT_THROWS(nn::Embedded<TypeParam>(nn::Embedding(word_count, word_width + 1), this->make_network()),
                c10::ValueError, "the embedding_dim of embedding is 4, but the input_size of network is 3");
  EXPECT_THROWS(nn::Embedded<TypeParam>(nn::Embedding(nullptr), this->make_network()), c10::ValueError, "is empty");
}

}  // namespace
}  // namespace packseq::test
