#include "packseq/sequence/pack.hpp"

#include "packseq/sequence/pad.hpp"
#include "support/sequences.hpp"

namespace packseq {
namespace {

namespace rnn = torch::nn::utils::rnn;
using c10::TypeError, c10::ValueError;

const Jagged documents_to_pack = {torch::tensor({1, 2, 3}), torch::tensor({4, 5}), torch::tensor({6})};

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
      const auto sequences = test::sequences_of_distinct_lengths(random, round % 3, enforce_sorted);
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

TEST(PackSequence, TakesEqualLengthsAsSorted) {
  const std::vector<at::Tensor> sequences = {torch::rand(2), torch::rand(2)};
  EXPECT_SAME(pack_sequence(sequences, {.enforce_sorted = true}).data(), rnn::pack_sequence(sequences).data());
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

TEST(PackSequence, RefusesLengthsThatNoListHolds) {
  const auto huge = std::int64_t{1} << 62;
  const auto values = torch::zeros(1).expand({huge});  // one element in memory, seen so many times
  const std::string text = "the length of the longest sequence is 4611686018427387904, and must be at most 2^59";
  EXPECT_THROWS(pack_sequence(Jagged::from_values(values, torch::tensor({huge}))), ValueError,
                "pack_sequence: " + text);
  EXPECT_THROWS(pack_sequence(std::vector<at::Tensor>{values}), ValueError, "pack_sequence: " + text);
  EXPECT_THROWS(pack_padded_sequence(values.unsqueeze(1), torch::tensor({huge})), ValueError,
                "pack_padded_sequence: " + text);
  EXPECT_THROWS(packseq::pad_sequence(std::vector<at::Tensor>{values}), ValueError, "take 2^63 bytes or more");
  EXPECT_THROWS(unpack_sequence(PackedSequence(values, torch::tensor({huge}))), ValueError,
                "unpack_sequence: batch_sizes[0] is 4611686018427387904, and must be at most 2^59");
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

TEST(PackSequence, CopiesOnSeveralThreads) {
  const int before = at::get_num_threads();
  at::set_num_threads(4);
  std::vector<at::Tensor> sequences;
  for (std::int64_t i = 0; i < 500; ++i) sequences.push_back(torch::rand({i % 37, 64}));
  EXPECT_SAME(pack_sequence(sequences).data(), pack_sequence(Jagged(sequences)).data());
  EXPECT_SAME(packseq::pad_sequence(sequences), packseq::pad_sequence(Jagged(sequences)));
  at::set_num_threads(before);
}

}  // namespace
}  // namespace packseq
