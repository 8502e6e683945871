#include "packseq/sequence/jagged.hpp"

#include "support/sequences.hpp"

namespace packseq {
namespace {

using c10::IndexError, c10::TypeError, c10::ValueError;

const std::vector<at::Tensor> three_documents = {torch::tensor({1, 2, 3}), torch::tensor({4, 5}), torch::tensor({6})};

TEST(Jagged, PutsSequencesEndToEnd) {
  const Jagged ids(three_documents);
  EXPECT_SAME(ids.values(), torch::tensor({1, 2, 3, 4, 5, 6}));
  EXPECT_SAME(ids.lengths(), torch::tensor({3, 2, 1}));
  EXPECT_EQ(ids.size(), 3);
  EXPECT_SAME(ids[1], torch::tensor({4, 5}));
}

TEST(Jagged, GivesBackWhatWentInOnEveryDevice) {
  std::mt19937 random(0);
  for (const auto device : test::devices()) {
    for (int round = 0; round < 20; ++round) {
      const auto sequences = test::random_sequences(random, {.trailing = {2, 3}, .device = device});
      const auto unbound = Jagged(sequences).unbind();
      ASSERT_EQ(unbound.size(), sequences.size());
      for (std::size_t i = 0; i < sequences.size(); ++i) EXPECT_SAME(unbound[i], sequences[i]);
    }
  }
}

TEST(Jagged, SequencesAreViewsThatCarryGradients) {
  const auto values = torch::arange(6, at::kFloat).requires_grad_();
  const auto sequences = Jagged::from_values(values, torch::tensor({4, 0, 2}));
  EXPECT_TRUE(sequences[0].is_alias_of(values));
  EXPECT_EQ(sequences[1].numel(), 0);
  sequences[2].sum().backward();
  EXPECT_SAME(values.grad(), torch::tensor({0.F, 0.F, 0.F, 0.F, 1.F, 1.F}));
}

TEST(Jagged, MayHoldNothingButEmptySequences) {
  const Jagged empty(std::vector{torch::empty({0, 4}), torch::empty({0, 4})});
  EXPECT_EQ(empty.size(), 2);
  EXPECT_EQ(empty.values().sizes(), at::IntArrayRef({0, 4}));
}

TEST(Jagged, RefusesBadSequences) {
  EXPECT_THROWS(Jagged(std::vector<at::Tensor>{}), ValueError, "sequences is empty");
  EXPECT_THROWS(Jagged({torch::ones(2), at::Tensor()}), ValueError, "sequences[1] is undefined");
  EXPECT_THROWS(Jagged({torch::ones(2), torch::tensor(1.0F)}), ValueError, "sequences[1] is a scalar");
  EXPECT_THROWS(Jagged({torch::ones(2), torch::ones(2).to_sparse()}), TypeError, "sequences[1] is a Sparse tensor");
  EXPECT_THROWS(Jagged({torch::ones(2), torch::ones(2, at::kMeta)}), TypeError, "sequences[1] is Float on meta");
  EXPECT_THROWS(Jagged({torch::ones({2, 3}), torch::ones({2, 4})}), ValueError,
                "sequences[1] has sizes [2, 4], but sequences[0] has [2, 3]");
  EXPECT_THROWS(Jagged({torch::ones(2), torch::ones(2, at::kDouble)}), TypeError,
                "sequences[1] is Double on cpu, but sequences[0] is Float on cpu");
}

TEST(Jagged, RefusesValuesAndLengthsThatDoNotFit) {
  const auto values = torch::ones(3);
  EXPECT_THROWS(Jagged::from_values({}, torch::tensor({3})), ValueError, "values is undefined");
  EXPECT_THROWS(Jagged::from_values(torch::tensor(1), torch::tensor({1})), ValueError, "at least one dimension");
  EXPECT_THROWS(Jagged::from_values(values.to_sparse(), torch::tensor({3})), TypeError, "values is a Sparse tensor");
  EXPECT_THROWS(Jagged::from_values(values, {}), ValueError, "lengths is undefined");
  EXPECT_THROWS(Jagged::from_values(values, torch::tensor({3.0})), TypeError, "lengths is Float on cpu");
  EXPECT_THROWS(Jagged::from_values(values, torch::tensor({3}, at::kInt)), TypeError, "lengths is Int on cpu");
  EXPECT_THROWS(Jagged::from_values(values, torch::tensor({{3}})), ValueError, "lengths has sizes [1, 1]");
  EXPECT_THROWS(Jagged::from_values(values, torch::empty({0}, at::kLong)), ValueError, "lengths is empty");
  EXPECT_THROWS(Jagged::from_values(values, torch::tensor({4, -1})), ValueError, "lengths[1] is -1");
  EXPECT_THROWS(Jagged::from_values(values, torch::tensor({1, 1})), ValueError, "sum 2, but values has 3 rows");
}

TEST(Jagged, RefusesLengthsWhoseSumOverflows) {
  const auto huge = std::int64_t{1} << 62;
  EXPECT_THROWS(Jagged::from_values(torch::ones(3), torch::tensor({huge, huge, huge, huge, std::int64_t{3}})),
                ValueError, "lengths has a sum of more than 3, the rows of values");
}

TEST(Jagged, KeepsItsLayoutWhateverBecomesOfTheLengthsItWasMadeFrom) {
  auto lengths = torch::tensor({1, 9, 2, 9}).slice(0, 0, 4, 2);
  const auto sequences = Jagged::from_values(torch::ones(3), lengths);
  lengths.zero_();
  EXPECT_SAME(sequences.lengths(), torch::tensor({1, 2}));
  EXPECT_TRUE(sequences.lengths().is_contiguous());
}

TEST(Jagged, MovesToAnotherDtypeAndDevice) {
  for (const auto device : test::devices()) {
    const auto moved = Jagged(three_documents).to(at::TensorOptions(at::kHalf).device(device));
    EXPECT_EQ(moved.values().device().type(), device.type());
    EXPECT_SAME(moved.values().cpu(), torch::tensor({1, 2, 3, 4, 5, 6}, at::kHalf));
    EXPECT_SAME(moved[1].cpu(), torch::tensor({4, 5}, at::kHalf));
    EXPECT_SAME(moved.lengths(), torch::tensor({3, 2, 1}));
  }
}

TEST(Jagged, RefusesToMoveToMoreThanADtypeAndADevice) {
  const Jagged ids(three_documents);
  EXPECT_THROWS(ids.to(at::TensorOptions().layout(at::kSparse)), ValueError, "Jagged::to: options is TensorOptions(");
  EXPECT_THROWS(ids.to(at::TensorOptions().requires_grad(true)), ValueError, "may set dtype and device only");
  EXPECT_THROWS(ids.to(at::TensorOptions().pinned_memory(true)), ValueError, "may set dtype and device only");
  EXPECT_THROWS(ids.to(at::TensorOptions().memory_format(at::MemoryFormat::Contiguous)), ValueError, "may set dtype");
}

TEST(Jagged, RefusesAnIndexOutOfRange) {
  const Jagged ids(three_documents);
  EXPECT_THROWS(ids[3], IndexError, "index 3 is not in 0 ... 2");
  EXPECT_THROWS(ids[-1], IndexError, "index -1 is not in 0 ... 2");
}

}  // namespace
}  // namespace packseq
