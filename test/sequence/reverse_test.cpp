#include "packseq/sequence/reverse.hpp"

#include "packseq/sequence/map.hpp"
#include "support/sequences.hpp"

namespace packseq {
namespace {

TEST(Reverse, TurnsEveryDocumentRoundInTheSameLayout) {
  const auto packed = pack_sequence({torch::tensor({6}), torch::tensor({1, 2, 3}), torch::tensor({4, 5})});
  const auto reversed = reverse(packed);
  EXPECT_SAME(reversed.data(), torch::tensor({3, 5, 6, 2, 4, 1}));
  EXPECT_SAME(reversed.batch_sizes(), packed.batch_sizes());
  EXPECT_SAME(reversed.sorted_indices(), packed.sorted_indices());
  EXPECT_SAME(reversed.unsorted_indices(), packed.unsorted_indices());
}

TEST(Reverse, DoesAsFlipDocumentByDocumentForBatchesOfEveryKind) {
  std::mt19937 random(0);
  for (const auto device : test::devices()) {
    for (const auto& sequences : test::batches_of_every_kind(random, device)) {
      const auto packed = pack_sequence(sequences);
      const auto reversed = unpack_sequence(reverse(packed));
      for (std::size_t i = 0; i < sequences.size(); ++i) {
        EXPECT_SAME(reversed[static_cast<std::int64_t>(i)], sequences[i].flip(0));
      }
      EXPECT_SAME(reverse(reverse(packed)).data(), packed.data());
    }
  }
}

TEST(Reverse, CarriesGradients) {
  const auto data = torch::rand({6, 2}, at::kDouble).requires_grad_();
  const PackedSequence packed(data, torch::tensor({3, 2, 1}));
  const auto weights = torch::rand({6, 2}, at::kDouble);
  (reverse(packed).data() * weights).sum().backward();
  EXPECT_SAME(data.grad(), reverse(with_data(packed, weights)).data());
}

TEST(Reverse, RefusesAMalformedPack) {
  EXPECT_THROWS(reverse(PackedSequence(torch::ones(3), torch::tensor({1, 1}))), c10::ValueError,
                "reverse: batch_sizes has the sum 2");
}

}  // namespace
}  // namespace packseq
