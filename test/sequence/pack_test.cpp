#include "packseq/sequence/pack.hpp"

#include <algorithm>

#include "packseq/sequence/pad.hpp"
#include "support/sequences.hpp"

namespace packseq {
namespace {

namespace rnn = torch::nn::utils::rnn;
using c10::TypeError, c10::ValueError;

const Jagged documents_to_pack = {torch::tensor({1, 2, 3}), torch::tensor({4, 5}), torch::tensor({6})};

/// Lengths without ties, for which there is one way only to pack: shuffled, from `first` up.
std::vector<at::Tensor> sequences_of_distinct_lengths(std::mt19937& random, std::int64_t first, bool sorted) {
  auto sequences = test::random_sequences(random, {.min_length = 1, .max_length = 1});
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    sequences[i] = torch::rand({first + static_cast<std::int64_t>(sequences.size() - i), 2}, at::kDouble);
  }
  if (!sorted) std::shuffle(sequences.begin(), sequences.end(), random);
  return sequences;
}

TEST(PackSequence, InterleavesTheStepsOfAllSequences) {
  const auto packed = pack_sequence(documents_to_pack);
  EXPECT_SAME(packed.data(), torch::tensor({1, 4, 6, 2, 5, 3}));
  EXPECT_SAME(packed.batch_sizes(), torch::tensor({3, 2, 1}));
  EXPECT_SAME(packed.sorted_indices(), torch::tensor({0, 1, 2}));
}

TEST(PackSequence, DoesAsLibTorch) {
  std::mt19937 random(0);
  for (const bool enforce_sorted : {false, true}) {
    for (int round = 0; round < 20; ++round) {
      const auto sequences = sequences_of_distinct_lengths(random, round % 3, enforce_sorted);
      const auto ours = pack_sequence(sequences, {.enforce_sorted = enforce_sorted});
      const auto theirs = rnn::pack_sequence(sequences, enforce_sorted);
      EXPECT_SAME(ours.data(), theirs.data());
      EXPECT_SAME(ours.batch_sizes(), theirs.batch_sizes());
      ASSERT_EQ(ours.sorted_indices().defined(), theirs.sorted_indices().defined());
      if (enforce_sorted) continue;
      EXPECT_SAME(ours.sorted_indices(), theirs.sorted_indices());
      EXPECT_SAME(ours.unsorted_indices(), theirs.unsorted_indices());
    }
  }
}

TEST(PackSequence, KeepsTheOrderOfSequencesOfEqualLength) {
  const auto packed =
      pack_sequence({torch::tensor({1}), torch::tensor({2, 3}), torch::tensor({4}), torch::tensor({5, 6})});
  EXPECT_SAME(packed.sorted_indices(), torch::tensor({1, 3, 0, 2}));
}

TEST(PackSequence, IsUndoneByUnpackSequenceBitForBit) {
  std::mt19937 random(1);
  for (const auto device : test::devices()) {
    for (const auto dtype : {at::kFloat, at::kDouble, at::kHalf, at::kLong, at::kBool, at::kComplexDouble}) {
      for (const auto& trailing : std::vector<std::vector<std::int64_t>>{{}, {3}, {2, 0}, {2, 3}}) {
        for (int round = 0; round < 5; ++round) {
          const Jagged sequences = test::random_sequences(
              random, {.max_length = round, .trailing = trailing, .dtype = dtype, .device = device});
          const auto unpacked = unpack_sequence(pack_sequence(sequences));
          EXPECT_SAME(unpacked.values(), sequences.values());
          EXPECT_SAME(unpacked.lengths(), sequences.lengths());
        }
      }
    }
  }
}

TEST(PackSequence, TakesJaggedSequencesOrTensorsOfEveryKind) {
  std::mt19937 random(4);
  for (const auto device : test::devices()) {
    for (const auto& sequences : test::batches_of_every_kind(random, device)) {
      const auto jagged = pack_sequence(Jagged(sequences));
      const auto tensors = pack_sequence(sequences);
      EXPECT_SAME(tensors.data(), jagged.data());
      EXPECT_SAME(tensors.batch_sizes(), jagged.batch_sizes());
      EXPECT_SAME(tensors.sorted_indices(), jagged.sorted_indices());
      const auto unpacked = unpack_sequence(tensors).unbind();
      for (std::size_t i = 0; i < sequences.size(); ++i) EXPECT_SAME(unpacked[i], sequences[i]);
    }
  }
}

TEST(PackSequence, TakesTensorsThatAreMoreThanTheirMemory) {
  const auto packed_like_jagged = [](const std::vector<at::Tensor>& sequences) {
    const auto data = pack_sequence(sequences).data();
    return at::equal(data, pack_sequence(Jagged(sequences)).data());
  };
  const auto real = torch::rand({4, 6});
  const auto complex = torch::rand({4, 6}, at::kComplexFloat);
  EXPECT_TRUE(packed_like_jagged({real.t(), torch::rand({2, 4})}));             // not contiguous
  EXPECT_TRUE(packed_like_jagged({real.select(1, 2), torch::rand({2})}));       // nor this
  EXPECT_TRUE(packed_like_jagged({torch::rand({1, 6}).expand({3, 6}), real}));  // one row three times
  EXPECT_TRUE(packed_like_jagged({complex.conj(), complex}));                   // conjugated when it is read
  EXPECT_TRUE(packed_like_jagged({torch::imag(complex.conj()), real}));         // negated when it is read
  EXPECT_TRUE(packed_like_jagged({torch::_efficientzerotensor({2, 6}, at::kFloat), real}));  // without memory
  EXPECT_EQ(pack_sequence({torch::ones({2, 6}, at::kMeta)}, {.enforce_sorted = true}).data().device(), at::kMeta);
}

TEST(PackSequence, CarriesForwardGradients) {
  const auto level = torch::autograd::forward_ad::enter_dual_level();
  const auto tangent = torch::rand({3});
  const auto packed = pack_sequence({torch::_make_dual(torch::rand({3}), tangent, static_cast<std::int64_t>(level))},
                                    {.enforce_sorted = true});
  EXPECT_SAME(std::get<1>(torch::_unpack_dual(packed.data(), static_cast<std::int64_t>(level))), tangent);
  torch::autograd::forward_ad::exit_dual_level(level);
}

TEST(PackSequence, SortsEmptySequencesLastAndAlwaysSaysHowMany) {
  const auto packed = pack_sequence({torch::empty({0, 2}), torch::ones({1, 2}), torch::empty({0, 2})});
  EXPECT_SAME(packed.batch_sizes(), torch::tensor({1}));
  EXPECT_SAME(packed.sorted_indices(), torch::tensor({1, 0, 2}));
  const auto sorted = pack_sequence({torch::ones({1, 2}), torch::empty({0, 2})}, {.enforce_sorted = true});
  EXPECT_SAME(sorted.sorted_indices(), torch::tensor({0, 1}));
}

TEST(PackSequence, PacksNothingButEmptySequences) {
  const auto packed = pack_sequence({torch::empty({0, 2}), torch::empty({0, 2})});
  EXPECT_EQ(packed.data().sizes(), at::IntArrayRef({0, 2}));
  EXPECT_SAME(packed.batch_sizes(), torch::tensor({0}));
  EXPECT_SAME(lengths(packed), torch::tensor({0, 0}));
  EXPECT_EQ(unpack_sequence(packed).size(), 2);
  EXPECT_EQ(std::get<0>(packseq::pad_packed_sequence(packed)).sizes(), at::IntArrayRef({0, 2, 2}));
  EXPECT_EQ(std::get<0>(packseq::pad_packed_sequence(packed, {.total_length = 3})).sizes(), at::IntArrayRef({3, 2, 2}));
}

TEST(PackSequence, RefusesUnsortedSequencesWhereSortedOnesAreAskedFor) {
  EXPECT_THROWS(pack_sequence({torch::ones(1), torch::ones(2)}, {.enforce_sorted = true}), ValueError,
                "sequence 1 of length 2 comes after one of length 1");
}

TEST(PackSequence, RefusesSequencesThatDoNotFitTogether) {
  EXPECT_THROWS(pack_sequence(std::vector<at::Tensor>{}), ValueError, "pack_sequence: sequences is empty");
  EXPECT_THROWS(pack_sequence({torch::ones(1), at::Tensor()}), ValueError, "pack_sequence: sequences[1] is undefined");
  EXPECT_THROWS(pack_sequence({torch::ones(1), torch::ones(1, at::kLong)}), TypeError,
                "pack_sequence: sequences[1] is Long on cpu, but sequences[0] is Float on cpu");
  EXPECT_THROWS(pack_sequence({torch::ones({1, 2}), torch::ones({1, 3})}), ValueError,
                "pack_sequence: sequences[1] has sizes [1, 3], but sequences[0] has [1, 2]");
}

TEST(PackSequence, RefusesSequencesWhoseLengthsWereChangedInPlace) {
  const Jagged sequences = {torch::ones(2), torch::ones(1)};
  sequences.lengths()[1] = 1000;
  EXPECT_THROWS(pack_sequence(sequences), ValueError, "pack_sequence: lengths has a sum of more than 3");
}

TEST(PackSequence, CarriesTheGradientsOfTensors) {
  const auto first = torch::rand({1, 2}).requires_grad_();
  const auto second = torch::rand({3, 2});
  const auto third = torch::rand({2, 2}).requires_grad_();
  const auto packed = pack_sequence({first, second, third});
  const auto weights = torch::rand({6, 2});
  (packed.data() * weights).sum().backward();
  const auto expected = unpack_sequence(PackedSequence(weights, packed.batch_sizes(), packed.sorted_indices()));
  EXPECT_SAME(first.grad(), expected[0]);
  EXPECT_SAME(third.grad(), expected[2]);
  const torch::NoGradGuard no_grad;
  EXPECT_FALSE(pack_sequence({first, second, third}).data().requires_grad());
}

TEST(PackSequence, CarriesGradientsThereAndBack) {
  const auto values = torch::rand({6, 2}, at::kDouble).requires_grad_();
  const auto sequences = Jagged::from_values(values, torch::tensor({1, 0, 3, 2}));
  const auto weights = torch::rand({6, 2}, at::kDouble);
  (unpack_sequence(pack_sequence(sequences)).values() * weights).sum().backward();
  EXPECT_SAME(values.grad(), weights);
}

TEST(PackPaddedSequence, DoesAsLibTorch) {
  std::mt19937 random(2);
  for (int round = 0; round < 40; ++round) {
    const bool batch_first = round % 2 == 0;
    const bool enforce_sorted = round % 4 < 2;
    const auto sequences = sequences_of_distinct_lengths(random, 0, enforce_sorted);
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
    const auto sequences = sequences_of_distinct_lengths(random, 0, enforce_sorted);
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
  const auto packed = pack_sequence(documents_to_pack);
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

TEST(PackedSequence, MovesToAnotherDtypeAndDevice) {
  for (const auto device : test::devices()) {
    for (const bool enforce_sorted : {false, true}) {
      const auto packed = pack_sequence({torch::ones(2), torch::ones(1)}, {.enforce_sorted = enforce_sorted});
      const auto moved = packed.to(at::TensorOptions(at::kHalf).device(device));
      EXPECT_EQ(moved.data().scalar_type(), at::kHalf);
      EXPECT_EQ(moved.data().device().type(), device.type());
      EXPECT_SAME(lengths(moved), lengths(packed));
      EXPECT_SAME(unpack_sequence(moved).values().cpu(), torch::ones(3, at::kHalf));
    }
    const auto empty = pack_sequence({torch::ones(0)}).to(at::TensorOptions(at::kHalf).device(device));
    EXPECT_SAME(lengths(empty), torch::tensor({0}));
  }
}

TEST(Lengths, AreInTheCallersOrder) {
  EXPECT_SAME(lengths(pack_sequence({torch::ones(1), torch::ones(0), torch::ones(4), torch::ones(4)})),
              torch::tensor({1, 0, 4, 4}));
  EXPECT_SAME(lengths(PackedSequence(torch::ones(5), torch::tensor({3, 2}))), torch::tensor({2, 2, 1}));
}

TEST(Lengths, RefusesAMalformedPackAndSaysWhatIsWrong) {
  const auto check = [](at::Tensor data, at::Tensor batch_sizes, at::Tensor sorted = {}, at::Tensor unsorted = {}) {
    return lengths(PackedSequence(data, batch_sizes, sorted, unsorted));
  };
  const auto data = torch::ones(3);
  const auto sizes = torch::tensor({2, 1});
  EXPECT_THROWS(check({}, sizes), ValueError, "data is undefined");
  EXPECT_THROWS(check(data.to_sparse(), sizes), TypeError, "data is a Sparse tensor");
  EXPECT_THROWS(check(torch::_nested_tensor_from_tensor_list({data, data}), torch::tensor({2})), TypeError,
                "data is a nested tensor, and must be a dense one");
  EXPECT_THROWS(check(torch::tensor(1), torch::tensor({1})), ValueError, "data is a scalar");
  EXPECT_THROWS(check(data, torch::tensor({2.0, 1.0})), TypeError, "batch_sizes is Float on cpu");
  EXPECT_THROWS(check(data, torch::empty({0}, at::kLong)), ValueError, "batch_sizes is empty");
  EXPECT_THROWS(check(data, torch::tensor({{3}})), ValueError, "batch_sizes has sizes [1, 1]");
  EXPECT_THROWS(check(data, torch::tensor({1, 2})), ValueError, "batch_sizes[1] is 2, more than the 1 before it");
  EXPECT_THROWS(check(data, torch::tensor({3, 0})), ValueError, "batch_sizes[1] is 0");
  EXPECT_THROWS(check(data, torch::tensor({4, -1})), ValueError, "batch_sizes[1] is -1");
  const auto huge = std::int64_t{1} << 62;
  EXPECT_THROWS(check(data, torch::tensor({huge, huge, huge, huge})), ValueError, "a sum of more than 3");
  EXPECT_THROWS(check(torch::ones(3, at::kMeta), sizes, torch::tensor({0, 1}), torch::tensor({0, 1})), TypeError,
                "sorted_indices is on cpu, but data is on meta");
  EXPECT_THROWS(check(data, torch::tensor({2, 2})), ValueError,
                "batch_sizes has a sum of more than 3, the rows of data");
  EXPECT_THROWS(check(torch::ones(0), torch::tensor({0})), ValueError, "no sorted_indices tell how many");
  EXPECT_THROWS(check(data, sizes, {}, torch::tensor({0, 1})), ValueError, "only one of sorted_indices");
  EXPECT_THROWS(check(data, sizes, torch::tensor({0.0, 1.0}), torch::tensor({0, 1})), TypeError,
                "sorted_indices is Float");
  EXPECT_THROWS(check(data, sizes, torch::tensor({0, 2}), torch::tensor({0, 1})), ValueError,
                "sorted_indices[1] is 2: not a permutation of 0 ... 1");
  EXPECT_THROWS(check(data, sizes, torch::tensor({0, 1}), torch::tensor({1, 1})), ValueError,
                "unsorted_indices[1] is 1: not a permutation of 0 ... 1");
  EXPECT_THROWS(check(data, sizes, torch::tensor({0}), torch::tensor({0})), ValueError,
                "sorted_indices has 1 entries, fewer than batch_sizes[0], 2");
  EXPECT_THROWS(check(data, sizes, torch::tensor({0, 1, 2}), torch::tensor({0, 1})), ValueError,
                "unsorted_indices has 2 entries, and sorted_indices 3");
  EXPECT_THROWS(check(data, sizes, torch::tensor({1, 2, 0}), torch::tensor({1, 2, 0})), ValueError,
                "unsorted_indices[1] is 2, and must be 0, the inverse of sorted_indices");
}

}  // namespace
}  // namespace packseq
