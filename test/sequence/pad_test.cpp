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
          EXPECT_SAME(packseq::pad_sequence(sequences, {.batch_first = batch_first, .padding_value = 1}),
                      rnn::pad_sequence(sequences, batch_first, 1));
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

TEST(PadSequence, RefusesAPaddingValueThatTheDtypeCannotHold) {
  const auto pad = [](c10::ScalarType dtype, c10::Scalar value) {
    return packseq::pad_sequence(std::vector{torch::ones(1, dtype)}, {.padding_value = value});
  };
  EXPECT_THROWS(pad(at::kLong, 0.5), ValueError, "padding_value is 0.5, which the dtype of the sequences, Long");
  EXPECT_THROWS(pad(at::kByte, 256), ValueError, "padding_value is 256");
  EXPECT_THROWS(pad(at::kByte, -1), ValueError, "padding_value is -1");
  EXPECT_THROWS(pad(at::kBool, 2), ValueError, "padding_value is 2");
  EXPECT_THROWS(pad(at::kFloat, (1 << 24) + 1), ValueError, "padding_value is 16777217");
  EXPECT_THROWS(pad(at::kDouble, (std::int64_t{1} << 53) + 1), ValueError, "padding_value is 9007199254740993");
  EXPECT_THROWS(pad(at::kDouble, std::numeric_limits<std::int64_t>::max()), ValueError, "padding_value is 9223372");
  EXPECT_THROWS(pad(at::kFloat, 1e300), ValueError, "padding_value is 1e+300");
  EXPECT_THROWS(pad(at::kHalf, 70000), ValueError, "padding_value is 70000");
  EXPECT_THROWS(pad(at::kLong, INFINITY), ValueError, "padding_value is inf");
  EXPECT_THROWS(pad(at::kComplexFloat, c10::complex<double>(1e300, 0)), ValueError, "padding_value is (1e+300,0)");
  EXPECT_THROWS(pad(at::kFloat, c10::complex<double>(0, 1)), ValueError, "padding_value is (0,1)");
}

TEST(PadSequence, TakesEveryPaddingValueThatTheDtypeHolds) {
  const auto pad = [](c10::ScalarType dtype, c10::Scalar value) {
    return packseq::pad_sequence({torch::empty({0}, dtype), torch::ones(1, dtype)}, {.padding_value = value})[0][0];
  };
  EXPECT_EQ(pad(at::kLong, std::numeric_limits<std::int64_t>::min()).item<std::int64_t>(),
            std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(pad(at::kLong, 42.0).item<std::int64_t>(), 42);
  EXPECT_EQ(pad(at::kFloat, 0.1).item<float>(), 0.1F);
  EXPECT_EQ(pad(at::kFloat, -INFINITY).item<float>(), -INFINITY);
  EXPECT_TRUE(pad(at::kHalf, NAN).isnan().item<bool>());
  EXPECT_TRUE(pad(at::kBool, true).item<bool>());
  EXPECT_EQ(pad(at::kComplexFloat, 3).item<c10::complex<float>>(), c10::complex<float>(3, 0));
}

TEST(UnpadSequence, UndoesPadSequence) {
  std::mt19937 random(3);
  for (int round = 0; round < 40; ++round) {
    const Jagged sequences = test::random_sequences(random, {.trailing = {2}});
    const bool batch_first = round % 2 == 0;
    const auto padded = packseq::pad_sequence(sequences, {.batch_first = batch_first, .padding_value = -1});
    const auto unpadded = packseq::unpad_sequence(padded, sequences.lengths(), {.batch_first = batch_first});
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
}

}  // namespace
}  // namespace packseq
