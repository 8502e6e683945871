#include "packseq/sequence/step.hpp"

#include "packseq/sequence/map.hpp"
#include "support/sequences.hpp"

namespace packseq {
namespace {

using c10::ValueError;

const auto packed_documents = pack_sequence({torch::tensor({6}), torch::tensor({1, 2, 3}), torch::tensor({4, 5})});

TEST(FirstStep, IsEachDocumentsFirstTokenInTheCallersOrder) {
  EXPECT_SAME(first_step(packed_documents), torch::tensor({6, 1, 4}));
}

TEST(LastStep, IsEachDocumentsLastTokenInTheCallersOrder) {
  EXPECT_SAME(last_step(packed_documents), torch::tensor({6, 3, 5}));
}

/// The rows of `sequences` at `step`, counted from the end if negative, and zeros for empty ones.
at::Tensor rows_at(const std::vector<at::Tensor>& sequences, std::int64_t step) {
  std::vector<at::Tensor> rows;
  for (const auto& sequence : sequences) {
    rows.push_back(sequence.size(0) > 0 ? sequence[step] : sequence.new_zeros(sequence.sizes().slice(1)));
  }
  return torch::stack(rows);
}

TEST(FirstAndLastStep, TakeBatchesOfEveryKind) {
  std::mt19937 random(0);
  for (const auto device : test::devices()) {
    for (const auto& sequences : test::batches_of_every_kind(random, device)) {
      const auto packed = pack_sequence(sequences);
      EXPECT_SAME(first_step(packed), rows_at(sequences, 0));
      EXPECT_SAME(last_step(packed), rows_at(sequences, -1));
    }
  }
}

TEST(FirstAndLastStep, ReadPacksWithoutIndices) {
  const PackedSequence packed(torch::arange(6), torch::tensor({3, 2, 1}));
  EXPECT_SAME(first_step(packed), torch::tensor({0, 1, 2}));
  EXPECT_SAME(last_step(packed), torch::tensor({5, 4, 2}));
}

TEST(FirstAndLastStep, CarryGradients) {
  const auto data = torch::rand({6, 2}).requires_grad_();
  const auto packed = with_data(packed_documents, data);
  (first_step(packed).sum() + 10 * last_step(packed).sum()).backward();
  EXPECT_SAME(data.grad(), torch::tensor({1.F, 1.F, 11.F, 0.F, 10.F, 10.F}).unsqueeze(1).expand({6, 2}));
}

TEST(LastStep, IsTheFinalStateOfANetwork) {
  std::mt19937 random(1);
  for (const auto device : test::devices()) {
    for (const bool bidirectional : {false, true}) {
      for (const std::int64_t projection : {0, 3}) {
        torch::nn::LSTM lstm(
            torch::nn::LSTMOptions(2, 4).num_layers(2).bidirectional(bidirectional).proj_size(projection));
        lstm->to(device);
        const auto input =
            pack_sequence(test::random_sequences(random, {.min_length = 1, .trailing = {2}, .device = device}));
        const auto [output, state] = lstm->forward_with_packed_input(input);
        const auto& h = std::get<0>(state);
        const auto expected = bidirectional ? torch::cat({h[-2], h[-1]}, 1) : h[-1];
        EXPECT_SAME(last_step(output, {.bidirectional = bidirectional}), expected);
      }
    }
  }
}

TEST(LastStep, OfBothDirectionsOfEmptyDocumentsIsZero) {
  const auto packed = pack_sequence({torch::empty({0, 2}), torch::tensor({{1.F, 2.F}, {3.F, 4.F}})});
  EXPECT_SAME(last_step(packed, {.bidirectional = true}), torch::tensor({{0.F, 0.F}, {3.F, 2.F}}));
  const auto empty = pack_sequence({torch::empty({0, 3, 2}), torch::empty({0, 3, 2})});
  EXPECT_SAME(last_step(empty, {.bidirectional = true}), torch::zeros({2, 3, 2}));
}

TEST(LastStep, RefusesDataWithoutTwoHalves) {
  EXPECT_THROWS(last_step(packed_documents, {.bidirectional = true}), ValueError,
                "last_step: bidirectional is set, but data has sizes [6], and must be [N, *, 2 P]");
  EXPECT_THROWS(last_step(with_data(packed_documents, torch::ones({6, 3})), {.bidirectional = true}), ValueError,
                "data has sizes [6, 3]");
}

TEST(FirstAndLastStep, RefuseAMalformedPack) {
  const PackedSequence bad(torch::ones(3), torch::tensor({1, 1}));
  EXPECT_THROWS(first_step(bad), ValueError, "first_step: batch_sizes has the sum 2");
  EXPECT_THROWS(last_step(bad), ValueError, "last_step: batch_sizes has the sum 2");
}

}  // namespace
}  // namespace packseq
