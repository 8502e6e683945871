#include "packseq/data/loss.hpp"

#include <gtest/gtest.h>
#include <torch/nn.h>
#include <torch/types.h>

#include <cstdint>
#include <random>
#include <tuple>
#include <vector>

#include "packseq/data/collate.hpp"
#include "packseq/sequence/map.hpp"
#include "packseq/sequence/pack.hpp"
#include "support/sequences.hpp"

namespace packseq::data {
namespace {

constexpr std::int64_t words = 11;

/// Targets of random documents and scores for each of their tokens.
struct ScoredTokens {
  PackedSequence targets;
  PackedSequence scores;

  explicit ScoredTokens(std::mt19937& random)
      : targets(pack_sequence(test::random_sequences(random, {.min_length = 1, .dtype = at::kLong}))),
        scores(map(targets, [](const at::Tensor& ids) {
          return torch::randn({ids.size(0), words}, torch::requires_grad());
        })) {
    targets = map(targets, [](const at::Tensor& ids) { return ids.remainder(words); });
  }
};

/// The same of a padded batch, where padding is given a target that LibTorch's loss passes over.
at::Tensor padded_loss(const ScoredTokens& batch, const torch::nn::CrossEntropyLossOptions& options) {
  const auto scores = std::get<0>(torch::nn::utils::rnn::pad_packed_sequence(batch.scores, true));
  const auto targets = std::get<0>(torch::nn::utils::rnn::pad_packed_sequence(batch.targets, true, -100));
  return torch::nn::CrossEntropyLoss(options)(scores.flatten(0, 1), targets.flatten());
}

TEST(TokenLoss, CountsEachRealTokenOnceAndPaddingNever) {
  std::mt19937 random(1);
  for (int i = 0; i < 20; ++i) {
    const ScoredTokens batch(random);
    for (const auto& options : {torch::nn::CrossEntropyLossOptions().reduction(torch::kMean),
                                torch::nn::CrossEntropyLossOptions().reduction(torch::kSum)}) {
      const auto loss = token_loss(batch.scores, batch.targets, torch::nn::CrossEntropyLoss(options));
      const auto expected = padded_loss(batch, options);
      EXPECT_TRUE(at::allclose(loss, expected, 1e-5, 1e-6)) << loss << " is not " << expected;
      EXPECT_TRUE(at::allclose(torch::autograd::grad({loss}, {batch.scores.data()})[0],
                               torch::autograd::grad({expected}, {batch.scores.data()})[0], 1e-5, 1e-6));
    }
  }
}

TEST(TokenLoss, GivesOneNumberForEachTokenWhereAsked) {
  std::mt19937 random(2);
  const ScoredTokens batch(random);
  torch::nn::CrossEntropyLoss each(torch::nn::CrossEntropyLossOptions().reduction(torch::kNone));
  const auto losses = token_loss(batch.scores, batch.targets, each);
  ASSERT_EQ(losses.sizes(), batch.targets.data().sizes());
  EXPECT_SAME(losses[0], each->forward(batch.scores.data().slice(0, 0, 1), batch.targets.data().slice(0, 0, 1))[0]);
}

TEST(TokenLoss, TakesTargetsOfAnyShape) {
  const auto scores = pack_sequence(std::vector<at::Tensor>{torch::randn({3, 2}), torch::randn({1, 2})});
  const auto targets = map(scores, [](const at::Tensor& rows) { return torch::zeros_like(rows); });
  EXPECT_TRUE(
      at::allclose(token_loss(scores, targets, torch::nn::MSELoss()), scores.data().square().mean(), 1e-5, 1e-6));
}

TEST(TokenLoss, TheMeanOfNoTokenIsNan) {
  const auto batch = PackNextToken().apply_batch({Jagged({torch::ones({1}, torch::kLong)})});
  const auto scores = map(batch.input, [](const at::Tensor& ids) { return torch::randn({ids.size(0), words}); });
  EXPECT_TRUE(token_loss(scores, batch.token_target, torch::nn::CrossEntropyLoss()).isnan().item<bool>());
}

TEST(TokenLoss, RefusesBatchesThatDoNotFit) {
  const auto pack = [](const std::vector<std::int64_t>& lengths) {
    std::vector<at::Tensor> sequences;
    for (const auto length : lengths) sequences.push_back(torch::zeros({length}));
    return pack_sequence(sequences);
  };
  const auto loss = [](const at::Tensor& scores, const at::Tensor&) { return scores; };
  EXPECT_THROWS(token_loss(pack({2, 1}), pack({3}), loss), c10::ValueError, "token_loss: ");
  EXPECT_THROWS(token_loss(pack({2, 1}), pack({1, 2}), loss), c10::ValueError, "token_loss: ");
  EXPECT_THROWS(token_loss(pack({2}), pack({2}), {}), c10::ValueError, "token_loss: loss is empty");
  EXPECT_THROWS(token_loss(pack({2}), PackedBatch{pack({2})}.token_target, loss), c10::ValueError,
                "token_loss: targets has no data: the batch's documents have no token_labels");
}

}  // namespace
}  // namespace packseq::data
