#include "packseq/sequence/spread.hpp"

#include "packseq/sequence/map.hpp"
#include "packseq/sequence/pool.hpp"
#include "packseq/sequence/step.hpp"
#include "support/sequences.hpp"

namespace packseq {
namespace {

using c10::TypeError, c10::ValueError;

const auto with_an_empty_one =
    pack_sequence({torch::tensor({6}), torch::tensor({1, 2, 3}), torch::empty({0}, at::kLong), torch::tensor({4, 5})});

/// Rows for the documents of a batch, of the sizes and the dtype of its tokens.
at::Tensor rows_like(const std::vector<at::Tensor>& sequences) {
  auto sizes = sequences[0].sizes().vec();
  sizes[0] = static_cast<std::int64_t>(sequences.size());
  return torch::randint(0, 100, sizes).to(sequences[0].options());
}

/// `rows[i]` at each step of document i.
void expect_spread(const PackedSequence& spread_rows, const at::Tensor& rows,
                   const std::vector<at::Tensor>& sequences) {
  const auto documents = unpack_sequence(spread_rows);
  ASSERT_EQ(documents.size(), rows.size(0));
  for (std::int64_t i = 0; i < documents.size(); ++i) {
    auto sizes = rows.sizes().vec();
    sizes[0] = sequences[static_cast<std::size_t>(i)].size(0);
    EXPECT_SAME(documents[i], rows.narrow(0, i, 1).expand(sizes));
  }
}

TEST(Spread, GivesEachTokenItsDocumentsRow) {
  const auto packed = spread(with_an_empty_one, torch::tensor({60, 10, 0, 40}));
  EXPECT_SAME(packed.data(), torch::tensor({10, 40, 60, 10, 40, 10}));
  EXPECT_SAME(packed.batch_sizes(), with_an_empty_one.batch_sizes());
  EXPECT_SAME(packed.sorted_indices(), with_an_empty_one.sorted_indices());
  EXPECT_SAME(packed.unsorted_indices(), with_an_empty_one.unsorted_indices());
}

TEST(Spread, TakesBatchesOfEveryKind) {
  std::mt19937 random(0);
  for (const auto device : test::devices()) {
    for (const auto& sequences : test::batches_of_every_kind(random, device)) {
      const auto rows = rows_like(sequences);
      expect_spread(spread(pack_sequence(sequences), rows), rows, sequences);
    }
  }
}

TEST(Spread, ReadsPacksThatLibTorchMade) {
  // Its sort keeps documents of equal length in order up to 16 of them, and not from 17 on.
  for (const std::int64_t documents : {16, 17, 40}) {
    std::vector<at::Tensor> sequences;
    for (std::int64_t i = 0; i < documents; ++i) sequences.push_back(torch::full({2 + i % 2}, i));
    const auto packed = torch::nn::utils::rnn::pack_sequence(sequences, /*enforce_sorted=*/false);
    EXPECT_SAME(spread(packed, torch::arange(documents)).data(), packed.data());
    EXPECT_SAME(pack_like(packed, sequences).data(), packed.data());
  }
  const PackedSequence sorted(torch::arange(6), torch::tensor({3, 2, 1}));  // without indices
  EXPECT_SAME(spread(sorted, torch::arange(3)).data(), torch::tensor({0, 1, 2, 0, 1, 0}));
}

TEST(Spread, TakesABatchOfNothingButEmptyDocuments) {
  const auto empty = pack_sequence({torch::empty({0, 2}), torch::empty({0, 2})});
  const auto rows = torch::rand({2, 3}).requires_grad_();
  const auto packed = spread(empty, rows);
  EXPECT_EQ(packed.data().sizes(), at::IntArrayRef({0, 3}));
  packed.data().sum().backward();
  EXPECT_SAME(rows.grad(), torch::zeros({2, 3}));
}

TEST(Spread, IsTheWayBackFromAPool) {
  const auto rows = torch::rand({4, 3});
  const auto packed = spread(with_an_empty_one, rows);
  const auto real = torch::tensor({{1.F}, {1.F}, {0.F}, {1.F}});
  EXPECT_SAME(first_step(packed), rows * real);
  EXPECT_SAME(max_pool(packed), rows * real);
}

TEST(Spread, CarriesGradientsTwice) {
  for (const auto device : test::devices()) {
    const auto rows = torch::rand({4, 2}, at::TensorOptions(at::kDouble).device(device)).requires_grad_();
    const auto data = spread(with_an_empty_one.to(device), rows).data();
    const auto first = torch::autograd::grad({data.pow(3).sum()}, {rows}, {}, true, true)[0];
    const auto lengths = torch::tensor({{1.}, {3.}, {0.}, {2.}}).to(device);
    EXPECT_TRUE(torch::allclose(first, 3 * rows.pow(2) * lengths));
    const auto second = torch::autograd::grad({first.sum()}, {rows})[0];
    EXPECT_TRUE(torch::allclose(second, 6 * rows * lengths));
  }
}

TEST(Spread, RefusesRowsThatAreNotOneForEachDocument) {
  EXPECT_THROWS(spread(with_an_empty_one, torch::ones({3, 2})), ValueError,
                "spread: rows has 3 rows, but the packed batch has 4 documents");
  EXPECT_THROWS(spread(with_an_empty_one, at::Tensor()), ValueError, "spread: rows is undefined");
  EXPECT_THROWS(spread(with_an_empty_one, torch::ones({})), ValueError, "spread: rows is a scalar");
  EXPECT_THROWS(spread(with_an_empty_one, torch::ones({4}).to_sparse()), TypeError, "spread: rows is a Sparse tensor");
  EXPECT_THROWS(spread(with_an_empty_one, torch::ones({4}, at::kMeta)), TypeError,
                "spread: rows is on meta, but the packed batch is on cpu");
}

TEST(PackLike, PutsTokensWhereThoseOfThePackAre) {
  std::mt19937 random(1);
  for (const auto device : test::devices()) {
    for (const auto& sequences : test::batches_of_every_kind(random, device)) {
      const auto packed = pack_sequence(sequences);
      EXPECT_SAME(pack_like(packed, sequences).data(), packed.data());
      std::vector<at::Tensor> others;
      for (const auto& sequence : sequences) {
        others.push_back(torch::rand({sequence.size(0), 2}, at::TensorOptions(at::kDouble).device(device)));
      }
      const auto like = pack_like(packed, others);
      EXPECT_SAME(like.batch_sizes(), packed.batch_sizes());
      EXPECT_SAME(like.sorted_indices(), packed.sorted_indices());
      EXPECT_SAME(unpack_sequence(like).values(), Jagged(others).values());
    }
  }
}

TEST(PackLike, CarriesGradients) {
  const auto values = torch::rand({6, 2}).requires_grad_();
  const auto packed = pack_like(with_an_empty_one, Jagged::from_values(values, lengths(with_an_empty_one)));
  (packed.data() * torch::arange(6).unsqueeze(1)).sum().backward();
  EXPECT_SAME(values.grad().select(1, 0), torch::tensor({2.F, 0.F, 3.F, 5.F, 1.F, 4.F}));
}

TEST(PackLike, RefusesSequencesOfAnotherLayout) {
  const auto two = torch::ones(2), one = torch::ones(1), none = torch::ones(0), three = torch::ones(3);
  EXPECT_THROWS(pack_like(with_an_empty_one, {one, three}), ValueError,
                "pack_like: sequences are 2, but the packed batch has 4 documents");
  EXPECT_THROWS(pack_like(with_an_empty_one, {one, three, two, none}), ValueError,
                "pack_like: sequences[2] has length 2, but document 2 of the packed batch has 0");
  EXPECT_THROWS(pack_like(with_an_empty_one, Jagged({one, three, none, two}).to(at::kMeta)), TypeError,
                "pack_like: sequences are on meta, but the packed batch is on cpu");
}

TEST(SpreadAndPackLike, RefuseAMalformedPack) {
  const PackedSequence bad(torch::ones(3), torch::tensor({1, 1}));
  EXPECT_THROWS(spread(bad, torch::ones(1)), ValueError, "spread: batch_sizes has the sum 2");
  EXPECT_THROWS(pack_like(bad, {torch::ones(2)}), ValueError, "pack_like: batch_sizes has the sum 2");
}

}  // namespace
}  // namespace packseq
