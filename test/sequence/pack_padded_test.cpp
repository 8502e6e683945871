// From padded batches to packed ones and back: pack_padded_sequence and pad_packed_sequence.
#include "packseq/sequence/pack.hpp"
#include "packseq/sequence/pad.hpp"
#include "support/sequences.hpp"

namespace packseq {
namespace {

namespace rnn = torch::nn::utils::rnn;
using c10::TypeError, c10::ValueError;

TEST(PackPaddedSequence, DoesAsLibTorch) {
  std::mt19937 random(2);
  for (int round = 0; round < 40; ++round) {
    const bool batch_first = round % 2 == 0;
    const bool enforce_sorted = round % 4 < 2;
    const auto sequences = test::sequences_of_distinct_lengths(random, 0, enforce_sorted);
    const auto padded = packseq::pad_sequence(sequences, {.batch_first = batch_first, .padding_value = 9});
    const auto ours_input = padded.clone().requires_grad_();
    const auto theirs_input = padded.clone().requires_grad_();
    const auto lengths = Jagged(sequences).lengths();
    const auto ours = packseq::pack_padded_sequence(ours_input, lengths,
                                                    {.batch_first = batch_first, .enforce_sorted = enforce_sorted});
    const auto theirs = rnn::pack_padded_sequence(theirs_input, lengths, batch_first, enforce_sorted);
    EXPECT_SAME(ours.data(), theirs.data());
    EXPECT_SAME(ours.batch_sizes(), theirs.batch_sizes());
    const auto weights = torch::rand_like(ours.data());
    (ours.data() * weights).sum().backward();
    (theirs.data() * weights).sum().backward();
    EXPECT_SAME(ours_input.grad(), theirs_input.grad());
  }
}

TEST(PackPaddedSequence, LeavesOutSequencesWithoutRealCells) {
  const auto padded = torch::tensor({{9, 9}, {1, 2}, {3, 9}});
  const auto packed = packseq::pack_padded_sequence(padded, torch::tensor({0, 2, 1}), {.batch_first = true});
  EXPECT_SAME(packed.data(), torch::tensor({1, 3, 2}));
  EXPECT_SAME(lengths(packed), torch::tensor({0, 2, 1}));
}

TEST(PackPaddedSequence, ReadsPaddingOnTheLeft) {
  std::mt19937 random(5);
  for (int round = 0; round < 20; ++round) {
    const auto sequences = test::random_sequences(random, {.trailing = {2}});
    const bool batch_first = round % 2 == 0;
    const auto padded = packseq::pad_sequence(
        sequences, {.batch_first = batch_first, .padding_value = -1, .padding_side = PaddingSide::left});
    const auto packed = packseq::pack_padded_sequence(padded, Jagged(sequences).lengths(),
                                                      {.batch_first = batch_first, .padding_side = PaddingSide::left});
    EXPECT_SAME(packed.data(), pack_sequence(sequences).data());
    EXPECT_SAME(std::get<0>(packseq::pad_packed_sequence(
                    packed, {.batch_first = batch_first, .padding_value = -1, .padding_side = PaddingSide::left})),
                padded);
  }
}

TEST(PackPaddedSequence, RefusesLengthsThatDoNotFit) {
  const auto input = torch::ones({3, 2});
  EXPECT_THROWS(packseq::pack_padded_sequence({}, torch::tensor({1})), ValueError, "input is undefined");
  EXPECT_THROWS(packseq::pack_padded_sequence(torch::ones(3), torch::tensor({1})), ValueError, "two dimensions");
  EXPECT_THROWS(packseq::pack_padded_sequence(input.to_sparse(), torch::tensor({1, 1})), TypeError,
                "pack_padded_sequence: input is a Sparse tensor, and must be a dense one");
  EXPECT_THROWS(packseq::pack_padded_sequence(input, torch::empty({0}, at::kLong)), ValueError, "lengths is empty");
  EXPECT_THROWS(packseq::pack_padded_sequence(input, torch::tensor({1.5, 1.0})), TypeError, "lengths is Float");
  EXPECT_THROWS(packseq::pack_padded_sequence(input, torch::tensor({1})), ValueError, "lengths has 1 entries");
  EXPECT_THROWS(packseq::pack_padded_sequence(input, torch::tensor({4, 1})), ValueError,
                "lengths[0] is 4, and must be in 0 ... 3");
  EXPECT_THROWS(packseq::pack_padded_sequence(input, torch::tensor({3, -2})), ValueError, "lengths[1] is -2");
  EXPECT_THROWS(packseq::pack_padded_sequence(input, torch::tensor({1, 3}), {.enforce_sorted = true}), ValueError,
                "sequence 1 of length 3 comes after one of length 1");
}

TEST(PadPackedSequence, DoesAsLibTorchOnItsPacksAndOurs) {
  std::mt19937 random(3);
  for (int round = 0; round < 40; ++round) {
    const bool batch_first = round % 2 == 0;
    const bool enforce_sorted = round % 4 < 2;
    const auto sequences = test::sequences_of_distinct_lengths(random, 0, enforce_sorted);
    const std::int64_t total_length = 13 + round % 3;
    for (const auto& packed : {rnn::pack_sequence(sequences, enforce_sorted), pack_sequence(sequences)}) {
      const auto [ours, our_lengths] = packseq::pad_packed_sequence(
          packed, {.batch_first = batch_first, .padding_value = 7, .total_length = total_length});
      const auto [theirs, their_lengths] = rnn::pad_packed_sequence(packed, batch_first, 7, total_length);
      EXPECT_SAME(ours, theirs);
      EXPECT_SAME(our_lengths, their_lengths);
    }
  }
}

TEST(PadPackedSequence, GivesRealCellsTheirGradient) {
  const auto data = torch::rand({6, 2}).requires_grad_();
  const PackedSequence packed(data, torch::tensor({3, 2, 1}));
  const auto padded = std::get<0>(packseq::pad_packed_sequence(packed, {.padding_value = 3}));
  const auto weights = torch::rand_like(padded);
  (padded * weights).sum().backward();
  EXPECT_SAME(data.grad(), rnn::pack_padded_sequence(weights, torch::tensor({3, 2, 1})).data());
}

TEST(PadPackedSequence, PadsEmptySequencesInTheCallersOrder) {
  const auto packed =
      pack_sequence({torch::empty({0}), torch::tensor({1.F, 2.F}), torch::empty({0}), torch::tensor({3.F})});
  const auto [padded, lengths] = packseq::pad_packed_sequence(packed, {.batch_first = true, .padding_value = 9});
  EXPECT_SAME(padded, torch::tensor({{9.F, 9.F}, {1.F, 2.F}, {9.F, 9.F}, {3.F, 9.F}}));
  EXPECT_SAME(lengths, torch::tensor({0, 2, 0, 1}));
}

TEST(PadPackedSequence, RefusesATotalLengthThatDoesNotFit) {
  const auto packed = pack_sequence({torch::tensor({1, 2, 3}), torch::tensor({4, 5}), torch::tensor({6})});
  EXPECT_THROWS(packseq::pad_packed_sequence(packed, {.total_length = 2}), ValueError,
                "pad_packed_sequence: total_length is 2, and must be at least 3");
  EXPECT_THROWS(packseq::pad_packed_sequence(packed, {.total_length = std::int64_t{1} << 62}), ValueError,
                "pad_packed_sequence: total_length is 4611686018427387904, and 3 sequences of that many steps");
}

TEST(PadPackedSequence, EveryReaderRefusesAMalformedPack) {
  const PackedSequence bad(torch::ones(3), torch::tensor({1, 1}));
  EXPECT_THROWS(packseq::pad_packed_sequence(bad), ValueError, "pad_packed_sequence: batch_sizes has the sum 2");
  EXPECT_THROWS(unpack_sequence(bad), ValueError, "unpack_sequence: batch_sizes has the sum 2");
  EXPECT_THROWS(lengths(bad), ValueError, "lengths: batch_sizes has the sum 2");
}

}  // namespace
}  // namespace packseq
