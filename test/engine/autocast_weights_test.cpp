#include <ATen/ops/linear.h>

#include "engine/cast.hpp"
#include "packseq/engine/freeze.hpp"

// What autocast makes of the weights of networks in the engine, and of its cache of rounded ones.

namespace packseq::test {
namespace {

class AutocastWeightsOf : public testing::TestWithParam<Recurrent> {
 protected:
  void SetUp() override { torch::manual_seed(0); }
};
INSTANTIATE_TEST_SUITE_P(Networks, AutocastWeightsOf, testing::ValuesIn(all_kinds()));

TEST_P(AutocastWeightsOf, FindsFrozenWeights) {
  const Recurrent& r = GetParam();
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    const auto arguments = of_dtypes(random_arguments(r, four_lengths), {dtype, dtype, at::kFloat});
    const auto expected = run_cast(r, arguments);
    engine::freeze(arguments.parameters);
    expect_same(run_cast(r, arguments), expected);
    // A pass that reads the packed form does not know of changes that LibTorch does not count.
    for (const auto& parameter : arguments.parameters) {
      if (parameter.dim() == 2) parameter.data().add_(1);
    }
    expect_same(run_cast(r, arguments), expected);
    EXPECT_TRUE(engine::frozen(arguments.parameters));
    engine::unfreeze(arguments.parameters);
    EXPECT_FALSE(at::equal(run_cast(r, arguments)[0], expected[0]));
  }
}

/// Where LibTorch rounds each weight once in a region.
TEST_P(AutocastWeightsOf, RoundsNoWeightAndLeavesTheCacheAlone) {
  const Recurrent& r = GetParam();
  const auto arguments = random_arguments(r, four_lengths).as_variables();
  const at::Tensor& weight = arguments.parameters[0];
  const auto casts = [&](const auto& run) {
    const Casts counted(weight);
    const Autocast autocast;
    run();
    return counted.count();
  };
  const auto twice = [&] {
    run(r, arguments);
    run(r, arguments);
  };
  EXPECT_EQ(casts(twice), 1);
  const engine::InstallGuard guard;
  EXPECT_EQ(casts(twice), 0);
  // What others have in the cache stays there.
  EXPECT_EQ(casts([&] {
              at::linear(arguments.data, weight);
              run(r, arguments);
              at::linear(arguments.data, weight);
            }),
            1);
}

TEST_P(AutocastWeightsOf, SeesWeightsThatChangeInARegion) {
  const Recurrent& r = GetParam();
  const auto arguments = random_arguments(r, four_lengths).as_variables();
  const Autocast autocast;
  const auto before = run_fused(r, arguments);
  {
    const torch::NoGradGuard no_grad;
    arguments.parameters[0].mul_(2);
  }
  const auto after = run_fused(r, arguments);
  EXPECT_FALSE(at::equal(after[0], before[0]));
  expect_same(after, run_fused(r, arguments.as_variables()));
}

}  // namespace
}  // namespace packseq::test
