#include "packseq/nn/per_token.hpp"

#include <torch/serialize.h>

#include <sstream>

#include "packseq/nn/lstm.hpp"
#include "packseq/nn/result.hpp"
#include "support/sequences.hpp"

namespace packseq::nn {
namespace {

const PackedSequence words = pack_sequence({torch::tensor({4, 5}), torch::empty({0}, at::kLong), torch::tensor({1})});
const PackedSequence no_words = pack_sequence({torch::empty({0}, at::kLong), torch::empty({0}, at::kLong)});

torch::nn::Sequential make_tagger() {
  return torch::nn::Sequential(Embedding(7, 4), LSTM(4, 5), TakeOutput(), Dropout(0.5), Linear(5, 2));
}

at::Tensor run(torch::nn::Sequential& tagger, const PackedSequence& input, std::uint64_t seed = 0) {
  torch::manual_seed(seed);
  return tagger->forward<PackedSequence>(input).data();
}

/// `ours` and `theirs` have the same parameters; they must do the same with `data`, as must their gradients.
template <class Ours, class Theirs>
void expect_the_same(Ours& ours, Theirs& theirs, const at::Tensor& data) {
  const auto our_parameters = ours->named_parameters();
  const auto their_parameters = theirs->named_parameters();
  ASSERT_EQ(our_parameters.keys(), their_parameters.keys());
  torch::manual_seed(1);
  const at::Tensor our_output = ours(with_data(words, data)).data();
  torch::manual_seed(1);
  const at::Tensor their_output = theirs(data);
  EXPECT_SAME(our_output, their_output);
  if (our_parameters.is_empty()) return;
  our_output.cos().sum().backward();
  their_output.cos().sum().backward();
  for (const auto& key : our_parameters.keys()) {
    EXPECT_SAME(our_parameters[key], their_parameters[key]);
    EXPECT_SAME(our_parameters[key].grad(), their_parameters[key].grad());
  }
}

template <class Ours, class Theirs, class... Options>
void expect_the_same_module(const at::Tensor& data, const Options&... options) {
  for (const auto device : test::devices()) {
    torch::manual_seed(0);
    Ours ours(options...);
    torch::manual_seed(0);
    Theirs theirs(options...);
    ours->to(device);
    theirs->to(device);
    const PackedSequence packed = words.to(device);
    expect_the_same(ours, theirs, data.to(device));
  }
}

TEST(PerToken, DoesAsLibTorchWithEveryToken) {
  const at::Tensor numbers = torch::rand({3, 4});
  expect_the_same_module<Embedding, torch::nn::Embedding>(words.data(), 7, 4);
  expect_the_same_module<Embedding, torch::nn::Embedding>(words.data(),
                                                          torch::nn::EmbeddingOptions(7, 4).padding_idx(4));
  expect_the_same_module<Linear, torch::nn::Linear>(numbers, 4, 5);
  expect_the_same_module<Linear, torch::nn::Linear>(numbers, torch::nn::LinearOptions(4, 5).bias(false));
  expect_the_same_module<Dropout, torch::nn::Dropout>(numbers, 0.5);
  expect_the_same_module<PerToken<torch::nn::LayerNormImpl>, torch::nn::LayerNorm>(numbers,
                                                                                   torch::nn::LayerNormOptions({4}));
}

TEST(PerToken, KeepsTheLayout) {
  const auto embedded = Embedding(7, 4)(words);
  EXPECT_SAME(embedded.batch_sizes(), words.batch_sizes());
  EXPECT_SAME(embedded.sorted_indices(), words.sorted_indices());
  EXPECT_SAME(embedded.unsorted_indices(), words.unsorted_indices());
}

TEST(PerToken, RefusesWhatMapRefuses) {
  PerToken<torch::nn::FlattenImpl> flatten(torch::nn::FlattenOptions().start_dim(0));
  EXPECT_THROWS(flatten(with_data(words, torch::rand({3, 2}))), c10::ValueError,
                "data has 6 rows, but the packed batch has 3 tokens");
}

TEST(PerToken, RunsInASequential) {
  auto tagger = make_tagger();
  tagger->eval();
  const auto scores = tagger->forward<PackedSequence>(words);
  EXPECT_EQ(scores.data().sizes(), at::IntArrayRef({3, 2}));
  EXPECT_SAME(lengths(scores), torch::tensor({2, 0, 1}));
  const at::Tensor alone = run(tagger, pack_sequence({torch::tensor({4, 5})}));
  EXPECT_TRUE(at::allclose(unpack_sequence(scores)[0], alone, 1e-5, 1e-6));

  EXPECT_EQ(tagger->named_parameters().keys(),
            (std::vector<std::string>{"0.weight", "1.weight_ih_l0", "1.weight_hh_l0", "1.bias_ih_l0", "1.bias_hh_l0",
                                      "4.weight", "4.bias"}));
}

TEST(PerToken, TrainsOnABatchOfNothingButEmptyDocuments) {
  auto tagger = make_tagger();
  const at::Tensor scores = run(tagger, no_words);
  EXPECT_EQ(scores.sizes(), at::IntArrayRef({0, 2}));
  scores.sum().backward();
  for (const auto& parameter : tagger->parameters()) {
    EXPECT_SAME(parameter.grad(), torch::zeros_like(parameter));
  }
}

TEST(PerToken, DropsOnlyInTraining) {
  auto tagger = make_tagger();
  EXPECT_FALSE(at::equal(run(tagger, words, 0), run(tagger, words, 1)));
  tagger->eval();
  EXPECT_SAME(run(tagger, words, 0), run(tagger, words, 1));
}

TEST(PerToken, IsSavedAndLoadedAsLibTorchs) {
  auto tagger = make_tagger();
  torch::nn::Sequential theirs(torch::nn::Embedding(7, 4), torch::nn::LSTM(4, 5), TakeOutput(), torch::nn::Dropout(),
                               torch::nn::Linear(5, 2));
  auto loaded = make_tagger();
  std::stringstream first, second;
  torch::save(tagger, first);
  torch::load(theirs, first);
  torch::save(theirs, second);
  torch::load(loaded, second);
  EXPECT_SAME(run(loaded, words), run(tagger, words));
}

TEST(PerToken, ClonesToItsOwnClass) {
  auto tagger = make_tagger();
  auto frozen = Embedding(7, 4);
  frozen->weight.set_requires_grad(false);
  frozen->eval();
  frozen->to(at::kDouble);
  for (const auto device : test::devices()) {
    const auto copied = std::dynamic_pointer_cast<torch::nn::SequentialImpl>(tagger->clone(device));
    torch::nn::Sequential copy(copied);
    if (device.is_cpu()) {
      EXPECT_SAME(run(copy, words), run(tagger, words));
    }
    for (const auto& parameter : copy->parameters()) EXPECT_EQ(parameter.device().type(), device.type());

    const auto clone = std::dynamic_pointer_cast<Embedding::ContainedType>(frozen->clone(device));
    ASSERT_NE(clone, nullptr);
    EXPECT_FALSE(clone->is_training());
    EXPECT_FALSE(clone->weight.requires_grad());
    EXPECT_SAME(clone->weight.cpu(), frozen->weight);
    const torch::NoGradGuard no_grad;
    clone->weight.zero_();
    EXPECT_FALSE(at::equal(clone->weight.cpu(), frozen->weight));
  }
}

TEST(PerToken, ClonesBuffers) {
  // BatchNorm is no module for single tokens, but the one with buffers.
  PerToken<torch::nn::BatchNorm1dImpl> norm(4);
  norm(with_data(words, torch::rand({3, 4})));
  const auto clone = std::dynamic_pointer_cast<torch::nn::BatchNorm1dImpl>(norm->clone());
  for (const auto& buffer : norm->named_buffers()) EXPECT_SAME(clone->named_buffers()[buffer.key()], buffer.value());
  norm->running_mean.zero_();
  EXPECT_FALSE(at::equal(clone->running_mean, norm->running_mean));
}

TEST(PerToken, SharesNoGivenWeightWithItsClone) {
  Embedding embedding(torch::nn::EmbeddingOptions(7, 4)._weight(torch::rand({7, 4})));
  const auto clone = std::dynamic_pointer_cast<Embedding::ContainedType>(embedding->clone());
  EXPECT_SAME(clone->weight, embedding->weight);
  const torch::NoGradGuard no_grad;
  embedding->weight.zero_();
  EXPECT_FALSE(at::equal(clone->weight, embedding->weight));
}

struct TaggerImpl : torch::nn::Cloneable<TaggerImpl> {
  TaggerImpl() { reset(); }
  void reset() override {
    embedding = register_module("embedding", Embedding(7, 4));
    lstm = register_module("lstm", LSTM(4, 5));
  }
  at::Tensor forward(const PackedSequence& input) { return lstm(embedding(input)).output.data(); }
  Embedding embedding = nullptr;
  LSTM lstm = nullptr;
};

TEST(PerToken, IsClonedWithTheModuleThatOwnsIt) {
  TaggerImpl tagger;
  const auto clone = std::dynamic_pointer_cast<TaggerImpl>(tagger.clone());
  EXPECT_SAME(clone->forward(words), tagger.forward(words));
  const torch::NoGradGuard no_grad;
  clone->embedding->weight.zero_();
  EXPECT_FALSE(at::equal(clone->forward(words), tagger.forward(words)));
}

}  // namespace
}  // namespace packseq::nn
