#include "packseq/sequence/mask.hpp"

#include "support/sequences.hpp"

namespace packseq {
namespace {

using c10::TypeError, c10::ValueError;

TEST(Mask, IsTrueForRealCells) {
  const auto lengths = torch::tensor({3, 1});
  EXPECT_SAME(mask(lengths), torch::tensor({{true, true}, {true, false}, {true, false}}));
  EXPECT_SAME(mask(lengths, {.batch_first = true, .padding_side = PaddingSide::left, .total_length = 4}),
              torch::tensor({{false, true, true, true}, {false, false, false, true}}));
}

TEST(Mask, IsOneWherePadSequencePutsTokens) {
  std::mt19937 random(0);
  for (int round = 0; round < 60; ++round) {
    auto sequences = test::random_sequences(random, {.max_length = round % 6});
    for (auto& sequence : sequences) sequence = torch::ones_like(sequence);
    const bool batch_first = round % 2 == 0;
    const auto side = round % 4 < 2 ? PaddingSide::left : PaddingSide::right;
    const auto total_length = round % 3 == 0 ? std::optional<std::int64_t>(7) : std::nullopt;
    const auto padded = packseq::pad_sequence(
        sequences, {.batch_first = batch_first, .padding_side = side, .total_length = total_length});
    EXPECT_SAME(mask(Jagged(sequences).lengths(),
                     {.batch_first = batch_first, .padding_side = side, .total_length = total_length}),
                padded.to(at::kBool));
  }
}

TEST(Mask, OfNothingButEmptySequencesHasNoSteps) {
  EXPECT_SAME(mask(torch::tensor({0, 0})), torch::empty({0, 2}, at::kBool));
}

TEST(Mask, NegatedTellsAttentionWhatToIgnore) {
  torch::manual_seed(0);
  torch::nn::MultiheadAttention attention(torch::nn::MultiheadAttentionOptions(4, 2));
  const auto input = torch::rand({3, 2, 4});
  auto other = input.clone();
  other.masked_fill_(mask(torch::tensor({3, 1})).logical_not().unsqueeze(2), 9);
  const auto ignore = mask(torch::tensor({3, 1}), {.batch_first = true}).logical_not();
  const auto attend = [&](const at::Tensor& x) { return std::get<0>(attention->forward(input, x, x, ignore)); };
  EXPECT_TRUE(torch::allclose(attend(input), attend(other)));
}

TEST(Mask, RefusesWhatAreNoLengths) {
  EXPECT_THROWS(mask({}), ValueError, "mask: lengths is undefined");
  EXPECT_THROWS(mask(torch::tensor({1.5})), TypeError, "mask: lengths is Float on cpu");
  EXPECT_THROWS(mask(torch::ones(1, at::TensorOptions(at::kLong).device(at::kMeta))), TypeError,
                "mask: lengths is Long on meta, and must be int64 (Long) on cpu");
  EXPECT_THROWS(mask(torch::tensor({{1}})), ValueError, "mask: lengths has sizes [1, 1]");
  EXPECT_THROWS(mask(torch::empty({0}, at::kLong)), ValueError, "mask: lengths is empty");
  EXPECT_THROWS(mask(torch::tensor({1, -1})), ValueError, "mask: lengths[1] is -1");
}

TEST(Mask, RefusesATotalLengthThatDoesNotFit) {
  EXPECT_THROWS(mask(torch::tensor({3, 1}), {.total_length = 2}), ValueError,
                "mask: total_length is 2, and must be at least 3");
  EXPECT_THROWS(
      mask(torch::tensor({3, 1}), {.total_length = std::numeric_limits<std::int64_t>::max()}), ValueError,
      "mask: total_length is 9223372036854775807, and 2 sequences of that many steps take 2^63 bytes or more");
}

}  // namespace
}  // namespace packseq
