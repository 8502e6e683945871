#include "packseq/nn/locked_dropout.hpp"

#include <torch/serialize.h>

#include <sstream>

#include "packseq/nn/lstm.hpp"
#include "packseq/nn/per_token.hpp"
#include "packseq/nn/result.hpp"
#include "packseq/sequence/map.hpp"
#include "packseq/sequence/step.hpp"
#include "support/sequences.hpp"

namespace packseq::nn {
namespace {

/// Of ones, with an empty document.
PackedSequence ones_of(at::IntArrayRef trailing, const at::TensorOptions& options = {}) {
  auto sizes = trailing.vec();
  sizes.insert(sizes.begin(), 9);
  return pack_sequence(Jagged::from_values(torch::ones(sizes, options), torch::tensor({2, 0, 4, 3})));
}

TEST(LockedDropout, DropsTheSameNumbersInAllStepsOfADocument) {
  for (const auto device : test::devices()) {
    for (const auto dtype : {at::kFloat, at::kDouble, at::kHalf, at::kComplexFloat}) {
      torch::manual_seed(0);
      const auto input = ones_of({2, 50}, at::TensorOptions(dtype).device(device));
      const auto output = LockedDropout(0.75)(input);
      EXPECT_EQ(output.data().scalar_type(), dtype);
      const auto documents = unpack_sequence(output);
      for (const std::int64_t i : {0, 2, 3})
        EXPECT_SAME(documents[i], documents[i].narrow(0, 0, 1).expand_as(documents[i]));
      const auto masks = first_step(output);
      EXPECT_TRUE((masks.eq(0) | masks.eq(4)).all().item<bool>());  // 1 / (1 - 0.75)
      EXPECT_FALSE(at::equal(masks[0], masks[2]));
      EXPECT_FALSE(at::equal(masks[2], masks[3]));
    }
  }
}

TEST(LockedDropout, DropsWithItsProbability) {
  torch::manual_seed(0);
  const auto dropped = LockedDropout(0.3)(ones_of({30000})).data().eq(0).to(at::kFloat).mean().item<float>();
  EXPECT_NEAR(dropped, 0.3F, 0.01F);
  EXPECT_SAME(LockedDropout(1.)(ones_of({5})).data(), torch::zeros({9, 5}));
  EXPECT_SAME(LockedDropout(0.)(ones_of({5})).data(), torch::ones({9, 5}));
}

TEST(LockedDropout, DropsOnlyInTraining) {
  LockedDropout dropout;
  EXPECT_EQ(dropout->options.p(), 0.5);
  EXPECT_FALSE(at::equal(dropout(ones_of({50})).data(), dropout(ones_of({50})).data()));
  dropout->eval();
  EXPECT_SAME(dropout(ones_of({50})).data(), torch::ones({9, 50}));
}

TEST(LockedDropout, KeepsTheLayout) {
  const auto input = ones_of({3});
  const auto output = LockedDropout(0.5)(input);
  EXPECT_SAME(output.batch_sizes(), input.batch_sizes());
  EXPECT_SAME(output.sorted_indices(), input.sorted_indices());
  EXPECT_SAME(output.unsorted_indices(), input.unsorted_indices());
}

TEST(LockedDropout, CarriesGradientsThroughWhatItKeeps) {
  torch::manual_seed(0);
  const auto data = torch::ones({9, 20}).requires_grad_();
  const auto output = LockedDropout(0.5)(with_data(ones_of({20}), data)).data();
  output.sum().backward();
  EXPECT_SAME(data.grad(), output.detach());
}

TEST(LockedDropout, ChangesItsInputIfItIsTold) {
  torch::manual_seed(0);
  const auto input = ones_of({20});
  const auto output = LockedDropout(torch::nn::DropoutOptions(0.5).inplace(true))(input);
  EXPECT_TRUE(output.data().is_same(input.data()));
  EXPECT_TRUE(input.data().eq(0).any().item<bool>());
}

TEST(LockedDropout, TakesABatchOfNothingButEmptyDocuments) {
  const auto empty = pack_sequence({torch::empty({0, 3}), torch::empty({0, 3})});
  EXPECT_EQ(LockedDropout(0.5)(empty).data().sizes(), at::IntArrayRef({0, 3}));
}

torch::nn::Sequential make_dropping_tagger() {
  return torch::nn::Sequential(Embedding(7, 4), LockedDropout(0.5), LSTM(4, 5), TakeOutput(), LockedDropout(0.5),
                               Linear(5, 2));
}

at::Tensor run_seeded(torch::nn::Sequential& tagger) {
  torch::manual_seed(1);
  return tagger->forward<PackedSequence>(pack_sequence({torch::tensor({4, 5}), torch::tensor({1})})).data();
}

TEST(LockedDropout, RunsInASequentialAndIsClonedWithIt) {
  auto tagger = make_dropping_tagger();
  const auto scores = run_seeded(tagger);
  EXPECT_EQ(scores.sizes(), at::IntArrayRef({3, 2}));
  torch::nn::Sequential copy(std::dynamic_pointer_cast<torch::nn::SequentialImpl>(tagger->clone()));
  EXPECT_SAME(run_seeded(copy), scores);
  std::stringstream stream;
  torch::save(tagger, stream);
  auto loaded = make_dropping_tagger();
  torch::load(loaded, stream);
  EXPECT_SAME(run_seeded(loaded), scores);
}

TEST(LockedDropout, ClonesToItsOwnClass) {
  LockedDropout dropout(0.25);
  dropout->eval();
  const auto clone = std::dynamic_pointer_cast<LockedDropoutImpl>(dropout->clone());
  ASSERT_NE(clone, nullptr);
  EXPECT_EQ(clone->options.p(), 0.25);
  EXPECT_FALSE(clone->is_training());
}

TEST(LockedDropout, RefusesWhatItCannotDrop) {
  LockedDropout dropout(0.5);
  for (const bool training : {true, false}) {
    dropout->train(training);
    EXPECT_THROWS(dropout(pack_sequence({torch::tensor({1, 2})})), c10::TypeError,
                  "LockedDropout: data is Long, and must be floating-point or complex: put it behind the embedding");
    EXPECT_THROWS(dropout(pack_sequence({torch::ones(2).to(at::kFloat8_e5m2)})), c10::TypeError,
                  "LockedDropout: data is Float8_e5m2, which LibTorch does not multiply: convert it first");
    EXPECT_THROWS(dropout(PackedSequence(torch::ones(3), torch::tensor({1, 1}))), c10::ValueError,
                  "batch_sizes has the sum 2");
  }
  EXPECT_THROWS(LockedDropout(1.5), c10::Error, "dropout probability has to be between 0 and 1, but got 1.5");
}

}  // namespace
}  // namespace packseq::nn
