#include <c10/core/InferenceMode.h>

#include <functional>
#include <utility>
#include <vector>

#include "engine/as_in_libtorch.hpp"
#include "packseq/engine/freeze.hpp"
#include "support/precision.hpp"
#include "support/sequences.hpp"

// LibTorch's operators for padded batches, in the engine.

namespace packseq::test {
namespace {

class Padded : public testing::TestWithParam<Recurrent> {
 protected:
  void SetUp() override { torch::manual_seed(0); }
};
std::vector<Recurrent> in_both_orders() {
  auto all = all_recurrents();
  for (Recurrent r : all_recurrents()) {
    r.batch_first = true;
    all.push_back(r);
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(Networks, Padded, testing::ValuesIn(in_both_orders()));

TEST_P(Padded, DoesAsLibTorchForEveryOptionAndShape) {
  for (const auto& [input_size, hidden_size] : {std::pair(1, 1), {3, 5}, {7, 33}}) {
    for (const Recurrent& r : with_every_option(GetParam(), input_size, hidden_size)) {
      for (const auto& [steps, documents] : {std::pair(4, 3), {1, 1}, {1, 5}, {7, 1}, {3, 20}}) {
        expect_as_in_libtorch(r, random_padded_arguments(r, steps, documents));
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_P(Padded, DoesAsLibTorchOnSeveralThreads) {
  Recurrent r = GetParam();
  r.hidden_size = 410;  // enough weights for steps to be shared
  expect_as_in_libtorch(r, random_padded_arguments(r, 5, 9), 2);
  expect_as_in_libtorch(r, random_padded_arguments(r, 4, 1), 3);
}

/// The backward pass takes some thousand rows at a time.
TEST_P(Padded, DoesAsLibTorchInSeveralParts) {
  expect_as_in_libtorch(GetParam(), random_padded_arguments(GetParam(), 30, 80), 2);
}

/// Of the same numbers: a batch of equal lengths, and the steps of a batch one by one.
void expect_the_bits_of_packed_batches_and_of_single_steps(const Recurrent& r) {
  const auto arguments = random_padded_arguments(r, 6, 4);
  const auto time_major = [&](const at::Tensor& tensor) { return r.batch_first ? tensor.transpose(0, 1) : tensor; };
  const auto padded = run_fused(r, arguments);
  auto packed = arguments;
  packed.data = time_major(arguments.data).reshape({24, r.input_size});
  packed.batch_sizes = torch::full({6}, 4);
  const auto expected = run_fused(r, packed);
  EXPECT_SAME(time_major(padded[0]).reshape(expected[0].sizes()), expected[0]);
  for (std::size_t i = 1; i < padded.size(); ++i) EXPECT_SAME(padded[i], expected[i]);
  if (r.bidirectional) return;
  auto step = arguments;
  for (std::int64_t i = 0; i < 6; ++i) {
    step.data = arguments.data.narrow(r.batch_first ? 1 : 0, i, 1);
    const auto results = run_fused(r, step);
    expect_as_in_whole(r, time_major(results[0])[0], time_major(padded[0])[i]);
    step.states.assign(results.begin() + 1, results.end());
  }
}

TEST_P(Padded, HasTheBitsOfPackedBatchesAndOfSingleSteps) {
  Recurrent r = GetParam();
  r.layers = 2;
  in_every_precision(r.dtype, [&] { expect_the_bits_of_packed_batches_and_of_single_steps(r); });
}

/// Tokens that lie anywhere in memory: parts of wider ones, every second one, one for all, features that lie apart.
TEST_P(Padded, ReadsTokensWhereTheyLie) {
  const Recurrent r = GetParam();
  using View = std::function<at::Tensor(const at::Tensor&)>;
  const std::vector<std::pair<std::vector<std::int64_t>, View>> views = {
      {{6, 4, 9}, [&](const at::Tensor& base) { return base.narrow(2, 1, r.input_size); }},
      {{12, 8, 3}, [](const at::Tensor& base) { return base.slice(0, 0, {}, 2).slice(1, 1, {}, 2); }},
      {{1, 1, 3},
       [](const at::Tensor& base) {
         return base.expand({6, 4, 3});
       }},
      {{6, 3, 4}, [](const at::Tensor& base) { return base.transpose(1, 2); }},
  };
  auto arguments = random_padded_arguments(r, 6, 4).as_variables();
  for (const auto& [sizes, view] : views) {
    const auto base = torch::randn(sizes, r.dtype).requires_grad_();
    arguments.data = r.batch_first ? view(base).transpose(0, 1) : view(base);
    auto dense = arguments;
    dense.data = arguments.data.contiguous();
    const auto outputs = run_fused(r, arguments);
    const auto expected = run_fused(r, dense);
    for (std::size_t i = 0; i < outputs.size(); ++i) EXPECT_SAME(outputs[i], expected[i]);
    expect_near(gradients(outputs, {base}), gradients(run_rightly(r, arguments), {base}), 10 * tolerance_of(r.dtype));
  }
}

TEST_P(Padded, IsServedByFrozenWeights) {
  Recurrent r = GetParam();
  r.layers = 2;
  const auto arguments = random_padded_arguments(r, 2, 3);
  const auto expected = run_fused(r, arguments);
  engine::freeze(arguments.parameters);
  for (int pass = 0; pass < 2; ++pass) {
    const auto actual = run_fused(r, arguments);
    for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_SAME(actual[i], expected[i]);
    for (const auto& parameter : arguments.parameters) {
      if (parameter.dim() == 2) parameter.data().zero_();  // nobody counts that: the packed form is read
    }
  }
  engine::unfreeze(arguments.parameters);
}

TEST_P(Padded, RunsWithoutAGraph) {
  const Recurrent r = GetParam();
  const auto expected = run_rightly(r, random_padded_arguments(r, 4, 3));
  torch::manual_seed(0);
  {
    const torch::NoGradGuard no_grad;
    const auto outputs = run_fused(r, random_padded_arguments(r, 4, 3).as_variables());
    EXPECT_FALSE(outputs[0].requires_grad());
    // As a tensor of its own, which may be changed where gradients are recorded.
    EXPECT_FALSE(outputs[0].is_view());
    expect_near(outputs, expected, tolerance_of(r.dtype));
  }
  torch::manual_seed(0);
  const c10::InferenceMode inference;
  const auto arguments = random_padded_arguments(r, 4, 3);
  expect_near(run_fused(r, arguments), expected, tolerance_of(r.dtype));
}

TEST_P(Padded, LeavesBatchesOfNothingToLibTorch) {
  const Recurrent r = GetParam();
  const auto arguments = random_padded_arguments(r, 4, 0);
  const auto expected = run(r, arguments);
  const engine::InstallGuard guard;
  const auto actual = run(r, arguments);
  for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_SAME(actual[i], expected[i]);
  EXPECT_THROWS(run(r, random_padded_arguments(r, 0, 3)), c10::Error, "Expected sequence length to be larger than 0");
}

}  // namespace
}  // namespace packseq::test
