#include "packseq/sequence/pool.hpp"

#include <functional>

#include "packseq/sequence/map.hpp"
#include "support/sequences.hpp"

namespace packseq {
namespace {

using c10::TypeError, c10::ValueError;
using Pool = std::function<at::Tensor(const PackedSequence&)>;
using Reduction = std::function<at::Tensor(const at::Tensor&)>;

/// `reduction` of each sequence by itself, and zeros for empty ones.
at::Tensor one_by_one(const std::vector<at::Tensor>& sequences, const Reduction& reduction) {
  const auto like = reduction(sequences.front().new_ones({1}));  // for its dtype
  std::vector<at::Tensor> rows;
  for (const auto& sequence : sequences) {
    rows.push_back(sequence.size(0) > 0 ? reduction(sequence) : like.new_zeros(sequence.sizes().slice(1)));
  }
  return torch::stack(rows);
}

void expect_close(const at::Tensor& actual, const at::Tensor& expected) {
  ASSERT_EQ(actual.dtype(), expected.dtype());
  const double tolerance = expected.element_size() > 2 ? 1e-5 : 1e-2;  // LibTorch adds in another order
  EXPECT_TRUE(torch::allclose(actual, expected, tolerance, tolerance, /*equal_nan=*/true)) << actual << "\nis not\n"
                                                                                           << expected;
}

TEST(Pools, ReduceEachDocument) {
  const auto packed =
      pack_sequence({torch::tensor({1.F}), torch::tensor({4.F, 3.F, 2.F}), torch::tensor({-5.F, -7.F})});
  EXPECT_SAME(sum_pool(packed), torch::tensor({1.F, 9.F, -12.F}));
  EXPECT_SAME(mean_pool(packed), torch::tensor({1.F, 3.F, -6.F}));
  EXPECT_SAME(max_pool(packed), torch::tensor({1.F, 4.F, -5.F}));
}

TEST(Pools, DoAsLibTorchDoesDocumentByDocumentForBatchesOfEveryKind) {
  std::mt19937 random(0);
  for (const auto device : test::devices()) {
    for (const auto& sequences : test::batches_of_every_kind(random, device)) {
      const auto packed = pack_sequence(sequences);
      expect_close(sum_pool(packed), one_by_one(sequences, [](const at::Tensor& one) { return one.sum(0); }));
      if (!packed.data().is_complex()) {
        expect_close(max_pool(packed), one_by_one(sequences, [](const at::Tensor& one) { return one.amax(0); }));
      }
      if (packed.data().is_floating_point() || packed.data().is_complex()) {
        expect_close(mean_pool(packed), one_by_one(sequences, [](const at::Tensor& one) { return one.mean(0); }));
      }
    }
  }
}

TEST(Pools, GiveEmptyDocumentsZeros) {
  const auto packed = pack_sequence({torch::empty({0, 2}), torch::full({1, 2}, -3.F), torch::empty({0, 2})});
  for (const Pool& pool : {Pool(sum_pool), Pool(mean_pool), Pool(max_pool)}) {
    EXPECT_SAME(pool(packed), torch::tensor({{0.F, 0.F}, {-3.F, -3.F}, {0.F, 0.F}}));
  }
}

TEST(Pools, LoseNothingToHalfPrecisionOnTheWay) {
  for (const auto device : test::devices()) {
    const auto packed = pack_sequence(std::vector{torch::ones({70000}, at::TensorOptions(at::kHalf).device(device))});
    EXPECT_EQ(mean_pool(packed).item<float>(), 1.F);  // although the sum is infinite in half precision
    const auto short_one = pack_sequence(std::vector{torch::ones({5000}, at::TensorOptions(at::kHalf).device(device))});
    EXPECT_EQ(sum_pool(short_one).item<float>(), 5000.F);
  }
}

TEST(MaxPool, PassesNaNOn) {
  const auto packed = pack_sequence({torch::tensor({{1.F, NAN}, {2.F, 3.F}}), torch::tensor({{0.F, 1.F}})});
  const auto largest = max_pool(packed);
  EXPECT_EQ(largest[0][0].item<float>(), 2.F);
  EXPECT_TRUE(largest[0][1].isnan().item<bool>());
  EXPECT_SAME(largest[1], torch::tensor({0.F, 1.F}));
}

/// Gradients of a function of `values` whose derivatives are no constants, nor zero at zero, first and second ones.
std::vector<at::Tensor> gradients(const at::Tensor& pooled, const at::Tensor& values) {
  const auto first = torch::autograd::grad({(pooled + 3).pow(3).sum()}, {values}, {}, true, true)[0];
  return {first, torch::autograd::grad({(first * first).sum()}, {values})[0]};
}

TEST(Pools, CarryGradientsTwice) {
  torch::manual_seed(0);
  const std::vector<std::pair<Pool, Reduction>> pools = {{sum_pool, [](const at::Tensor& one) { return one.sum(0); }},
                                                         {mean_pool, [](const at::Tensor& one) { return one.mean(0); }},
                                                         {max_pool, [](const at::Tensor& one) { return one.amax(0); }}};
  for (const auto device : test::devices()) {
    // Rounded, so that there are ties, among them ties at zero.
    const auto values = torch::randn({9, 2}, at::TensorOptions(at::kDouble).device(device)).round().requires_grad_();
    const auto documents = Jagged::from_values(values, torch::tensor({2, 0, 4, 3, 0}));
    for (const auto& [pool, reduction] : pools) {
      const auto ours = gradients(pool(pack_sequence(documents)), values);
      const auto theirs = gradients(one_by_one(documents.unbind(), reduction), values);
      expect_close(ours[0], theirs[0]);
      expect_close(ours[1], theirs[1]);
    }
  }
}

TEST(SumAndMeanPool, CarryGradientsOfComplexNumbersTwice) {
  torch::manual_seed(1);
  const auto values = torch::randn({9, 2}, at::kComplexDouble).requires_grad_();
  const auto documents = Jagged::from_values(values, torch::tensor({2, 0, 4, 3, 0}));
  const auto gradients_of = [&](const at::Tensor& pooled) {
    const auto first = torch::autograd::grad({(pooled + 3).pow(3).abs().sum()}, {values}, {}, true, true)[0];
    return std::pair(first, torch::autograd::grad({first.abs().pow(2).sum()}, {values})[0]);
  };
  const auto sum = [](const at::Tensor& one) { return one.sum(0); };
  const auto mean = [](const at::Tensor& one) { return one.mean(0); };
  for (const auto& [pool, reduction] : {std::pair(Pool(sum_pool), Reduction(sum)), {mean_pool, mean}}) {
    const auto ours = gradients_of(pool(pack_sequence(documents)));
    const auto theirs = gradients_of(one_by_one(documents.unbind(), reduction));
    expect_close(ours.first, theirs.first);
    expect_close(ours.second, theirs.second);
  }
}

TEST(SumPool, DoesNotDependOnThreadsToTheBit) {
  torch::manual_seed(2);
  const int threads = at::get_num_threads();
  for (const std::int64_t width : {1, 3, 300}) {
    const auto lengths = torch::randint(0, 200, {70});
    const auto tokens = lengths.sum().item<std::int64_t>();
    const auto packed = pack_sequence(Jagged::from_values(torch::randn({tokens, width}), lengths));
    at::set_num_threads(1);
    const auto alone = sum_pool(packed);
    for (const int team : {2, 3, 8}) {
      at::set_num_threads(team);
      EXPECT_SAME(sum_pool(packed), alone);
    }
  }
  at::set_num_threads(threads);
}

TEST(MaxPool, GivesTheWholeGradientToAMaximumOfZero) {
  const auto data = torch::zeros({2, 1}).requires_grad_();
  max_pool(PackedSequence(data, torch::tensor({1, 1}))).sum().backward();
  EXPECT_SAME(data.grad(), torch::tensor({{0.5F}, {0.5F}}));
}

TEST(MeanPool, RefusesIntegers) {
  const auto packed = pack_sequence({torch::tensor({1, 2})});
  EXPECT_THROWS(mean_pool(packed), TypeError, "mean_pool: data is Long, and must be floating-point or complex");
}

TEST(MaxPool, RefusesComplexNumbers) {
  const auto packed = pack_sequence({torch::ones(2, at::kComplexFloat)});
  EXPECT_THROWS(max_pool(packed), TypeError, "max_pool: data is ComplexFloat: complex numbers have no order");
}

TEST(Pools, SumOrRefuseDtypesThatLibTorchDoesNotComputeWith) {
  for (const auto dtype : {at::kUInt16, at::kUInt32, at::kUInt64, at::kFloat8_e4m3fn}) {
    const auto packed = pack_sequence({torch::tensor({1, 2, 3}).to(dtype), torch::tensor({4}).to(dtype)});
    EXPECT_THROWS(max_pool(packed), TypeError,
                  c10::str("max_pool: data is ", dtype, ", which LibTorch does not compare: convert it first"));
    EXPECT_SAME(sum_pool(packed).to(at::kLong), torch::tensor({6, 4}));
  }
}

TEST(MeanPool, TakesFloat8) {
  const auto packed = pack_sequence({torch::tensor({1, 2, 3}).to(at::kFloat8_e4m3fn)});
  EXPECT_SAME(mean_pool(packed).to(at::kFloat), torch::tensor({2.F}));
}

TEST(Pools, RefuseAMalformedPack) {
  const PackedSequence bad(torch::ones(3), torch::tensor({1, 1}));
  EXPECT_THROWS(sum_pool(bad), ValueError, "sum_pool: batch_sizes has the sum 2");
  EXPECT_THROWS(mean_pool(bad), ValueError, "mean_pool: batch_sizes has the sum 2");
  EXPECT_THROWS(max_pool(bad), ValueError, "max_pool: batch_sizes has the sum 2");
}

}  // namespace
}  // namespace packseq
