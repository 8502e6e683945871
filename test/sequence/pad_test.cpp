#include "packseq/sequence/pad.hpp"

#include "support/sequences.hpp"

namespace packseq {
namespace {

namespace rnn = torch::nn::utils::rnn;
using c10::TypeError, c10::ValueError;

const std::vector<at::Tensor> documents_to_pad = {torch::tensor({1, 2, 3}), torch::tensor({4, 5}), torch::tensor({6})};

TEST(PadSequence, FillsWithAnyValueOnEitherLayout) {
  EXPECT_SAME(packseq::pad_sequence(documents_to_pad), torch::tensor({{1, 4, 6}, {2, 5, 0}, {3, 0, 0}}));
  EXPECT_SAME(packseq::pad_sequence(documents_to_pad, {.batch_first = true, .padding_value = 42}),
              torch::tensor({{1, 2, 3}, {4, 5, 42}, {6, 42, 42}}));
}

TEST(PadSequence, DoesAsLibTorch) {
  std::mt19937 random(1);
  for (const auto device : test::devices()) {
    for (const auto dtype : {at::kFloat, at::kDouble, at::kHalf, at::kLong, at::kByte, at::kBool}) {
      for (const auto& trailing : std::vector<std::vector<std::int64_t>>{{}, {3}, {2, 0}, {2, 3}}) {
        const auto sequences =
            test::random_sequences(random, {.min_length = 1, .trailing = trailing, .dtype = dtype, .device = device});
        for (const bool batch_first : {false, true}) {
          for (const auto side : {PaddingSide::right, PaddingSide::left}) {
            EXPECT_SAME(packseq::pad_sequence(sequences,
                                              {.batch_first = batch_first, .padding_value = 1, .padding_side = side}),
                        rnn::pad_sequence(sequences, batch_first, 1, side == PaddingSide::left ? "left" : "right"));
          }
        }
      }
    }
  }
}

TEST(PadSequence, GivesRealCellsTheirGradient) {
  std::mt19937 random(2);
  auto sequences = test::random_sequences(random, {.trailing = {3}, .dtype = at::kDouble});
  for (auto& sequence : sequences) sequence.requires_grad_();
  const auto padded = packseq::pad_sequence(sequences, {.padding_value = 5});
  const auto weights = torch::rand_like(padded);
  (padded * weights).sum().backward();
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    EXPECT_SAME(sequences[i].grad(),
                weights.select(1, static_cast<std::int64_t>(i)).narrow(0, 0, sequences[i].size(0)));
  }
}

TEST(PadSequence, PadsEmptySequences) {
  const std::vector<at::Tensor> documents = {torch::empty({0}), torch::ones(2)};
  EXPECT_SAME(packseq::pad_sequence(documents, {.batch_first = true}), torch::tensor({{0.F, 0.F}, {1.F, 1.F}}));
  const auto empty = packseq::pad_sequence(std::vector{torch::empty({0, 3}), torch::empty({0, 3})});
  EXPECT_EQ(empty.sizes(), at::IntArrayRef({0, 2, 3}));
}

TEST(PadSequence, GoesOnToATotalLength) {
  const auto padded = packseq::pad_sequence(documents_to_pad, {.batch_first = true, .total_length = 4});
  EXPECT_SAME(padded, torch::tensor({{1, 2, 3, 0}, {4, 5, 0, 0}, {6, 0, 0, 0}}));
  const auto empty = packseq::pad_sequence({torch::empty({0, 3})}, {.padding_value = 2, .total_length = 2});
  EXPECT_SAME(empty, torch::full({2, 1, 3}, 2.F));
}

TEST(PadSequence, TakesJaggedSequencesOrTensorsOfEveryKind) {
  std::mt19937 random(5);
  for (const auto device : test::devices()) {
    for (const auto& sequences : test::batches_of_every_kind(random, device)) {
      const PadOptions options{.batch_first = true, .padding_value = 1, .padding_side = PaddingSide::left};
      const auto padded = packseq::pad_sequence(sequences, options);
      EXPECT_SAME(packseq::pad_sequence(Jagged(sequences), options), padded);
      for (std::size_t i = 0; i < sequences.size(); ++i) {
        const auto row = padded[static_cast<std::int64_t>(i)];
        const auto padding = row.size(0) - sequences[i].size(0);
        EXPECT_SAME(row.narrow(0, padding, sequences[i].size(0)), sequences[i]);
        EXPECT_SAME(row.narrow(0, 0, padding), torch::ones_like(row.narrow(0, 0, padding)));
      }
    }
  }
}

TEST(PadSequence, RefusesATotalLengthThatDoesNotFit) {
  EXPECT_THROWS(packseq::pad_sequence(documents_to_pad, {.total_length = 2}), ValueError,
                "pad_sequence: total_length is 2, and must be at least 3, the length of the longest sequence");
  EXPECT_THROWS(packseq::pad_sequence(documents_to_pad, {.total_length = -1}), ValueError, "total_length is -1");
  for (const int power : {58, 60, 62}) {
    EXPECT_THROWS(
        packseq::pad_sequence(documents_to_pad, {.total_length = std::int64_t{1} << power << (power < 60 ? 1 : 0)}),
        ValueError, "and 3 sequences of that many steps take 2^63 bytes or more");
  }
}

TEST(PadSequence, RefusesSequencesThatDoNotFitTogether) {
  EXPECT_THROWS(packseq::pad_sequence(std::vector<at::Tensor>{}), ValueError, "pad_sequence: sequences is empty");
  EXPECT_THROWS(packseq::pad_sequence({torch::ones(1), torch::ones(1, at::kHalf)}), TypeError,
                "pad_sequence: sequences[1] is Half on cpu, but sequences[0] is Float on cpu");
}

TEST(PadSequence, RefusesSequencesWhoseLengthsWereChangedInPlace) {
  const Jagged sequences(documents_to_pad);
  sequences.lengths()[0] = 1000;
  EXPECT_THROWS(packseq::pad_sequence(sequences), ValueError, "pad_sequence: lengths has a sum of more than 6");
}

TEST(UnpadSequence, UndoesPadSequence) {
  std::mt19937 random(3);
  for (int round = 0; round < 40; ++round) {
    const Jagged sequences = test::random_sequences(random, {.trailing = {2}});
    const bool batch_first = round % 2 == 0;
    const auto side = round % 4 < 2 ? PaddingSide::left : PaddingSide::right;
    const auto padded = packseq::pad_sequence(
        sequences,
        {.batch_first = batch_first, .padding_value = -1, .padding_side = side, .total_length = 9 + round % 3});
    const auto unpadded =
        packseq::unpad_sequence(padded, sequences.lengths(), {.batch_first = batch_first, .padding_side = side});
    EXPECT_SAME(unpadded.values(), sequences.values());
    EXPECT_SAME(unpadded.lengths(), sequences.lengths());
  }
}

TEST(UnpadSequence, GivesPaddingNoGradient) {
  const auto padded = torch::rand({2, 3}).requires_grad_();
  packseq::unpad_sequence(padded, torch::tensor({3, 1}), {.batch_first = true}).values().sum().backward();
  EXPECT_SAME(padded.grad(), torch::tensor({{1.F, 1.F, 1.F}, {1.F, 0.F, 0.F}}));
}

TEST(UnpadSequence, RefusesLengthsThatDoNotFit) {
  const auto padded = torch::ones({3, 2});
  EXPECT_THROWS(packseq::unpad_sequence({}, torch::tensor({1})), ValueError, "padded is undefined");
  EXPECT_THROWS(packseq::unpad_sequence(torch::ones(3), torch::tensor({1})), ValueError, "at least two dimensions");
  EXPECT_THROWS(packseq::unpad_sequence(padded, torch::tensor({1.0, 2.0})), TypeError, "lengths is Float");
  EXPECT_THROWS(packseq::unpad_sequence(padded, torch::tensor({1, 2, 3})), ValueError,
                "lengths has 3 entries, but padded with sizes [3, 2] and batch_first = false holds 2 sequences");
  EXPECT_THROWS(packseq::unpad_sequence(padded, torch::tensor({3, 4})), ValueError,
                "lengths[1] is 4, and must be in 0 ... 3");
  EXPECT_THROWS(packseq::unpad_sequence(padded, torch::tensor({3, -1})), ValueError, "lengths[1] is -1");
  EXPECT_THROWS(packseq::unpad_sequence(padded, {}), ValueError, "lengths is undefined");
  EXPECT_THROWS(packseq::unpad_sequence(padded, torch::empty({0}, at::kLong)), ValueError, "lengths is empty");
  EXPECT_THROWS(packseq::unpad_sequence(padded, torch::tensor({{3, 1}})), ValueError, "lengths has sizes [1, 2]");
  EXPECT_THROWS(packseq::unpad_sequence(padded, torch::tensor({3, 1}).to_sparse()), TypeError,
                "lengths is a Sparse tensor, and must be a dense one");
  EXPECT_THROWS(packseq::unpad_sequence(padded.to_sparse(), torch::tensor({3, 1})), TypeError,
                "unpad_sequence: padded is a Sparse tensor, and must be a dense one");
}

}  // namespace
}  // namespace packseq
