#include <ATen/ops/cat.h>
#include <c10/core/InferenceMode.h>

#include "engine/recurrent.hpp"
#include "kernels/targets.hpp"
#include "support/sequences.hpp"

namespace packseq::test {
namespace {

class EngineGradient : public testing::TestWithParam<Recurrent> {
 protected:
  void SetUp() override { torch::manual_seed(0); }
};
std::vector<Recurrent> all_double_recurrents() {
  auto all = all_recurrents();
  std::erase_if(all, [](const Recurrent& r) { return r.dtype != at::kDouble; });
  return all;
}
INSTANTIATE_TEST_SUITE_P(Networks, EngineGradient, testing::ValuesIn(all_double_recurrents()));

/// Two layers with dropout between them.
Recurrent deep(Recurrent r) {
  r.layers = 2;
  r.dropout = .5;
  return r;
}

TEST_P(EngineGradient, IsWhatFiniteDifferencesShow) {
  const auto arguments = random_arguments(GetParam(), {3, 1}).as_variables();
  const auto actual = gradients(run_fused(GetParam(), arguments), arguments.all());
  const torch::NoGradGuard no_grad;
  const auto value = [&] { return weighted_sum(run_fused(GetParam(), arguments)).item<double>(); };
  constexpr double step = 1e-6;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const at::Tensor numbers = arguments.all()[i].view(-1);
    for (std::int64_t k = 0; k < numbers.size(0); ++k) {
      numbers[k] += step;
      const double above = value();
      numbers[k] -= 2 * step;
      const double below = value();
      numbers[k] += step;
      ASSERT_NEAR(actual[i].view(-1)[k].item<double>(), (above - below) / (2 * step), 1e-7)
          << GetParam() << ", element " << k << " of tensor " << i;
    }
  }
}

TEST_P(EngineGradient, HasAGradientAsInLibTorch) {
  const Recurrent r = deep(GetParam());
  const auto arguments = random_arguments(r, four_lengths).as_variables();
  expect_near(second_gradients(run_fused(r, arguments), arguments.all()),
              second_gradients(run_in_libtorch(r, arguments), arguments.all()), 1e-10);
}

TEST_P(EngineGradient, HasAGradientAsInLibTorchOfAPaddedBatch) {
  Recurrent r = deep(GetParam());
  for (const bool batch_first : {false, true}) {
    r.batch_first = batch_first;
    const auto arguments = random_padded_arguments(r, 3, 2).as_variables();
    expect_near(second_gradients(run_fused(r, arguments), arguments.all()),
                second_gradients(run_in_libtorch(r, arguments), arguments.all()), 1e-10);
  }
}

/// LibTorch's operators let programs do so, but for its padded LSTM in float, which refuses.
TEST_P(EngineGradient, IsRightWhereProgramsChangeTheOutputInPlace) {
  const Recurrent r = deep(GetParam());
  for (const auto& fitting : {random_arguments(r, four_lengths), random_padded_arguments(r, 3, 2)}) {
    const auto arguments = fitting.as_variables();
    const auto changed = [&](Tensors outputs) {
      outputs[0].mul_(2).clamp_(-.5, .5);
      outputs[0].view(-1).narrow(0, 1, 3).zero_();
      return outputs;
    };
    expect_near(gradients(changed(run_fused(r, arguments)), arguments.all()),
                gradients(changed(run_in_libtorch(r, arguments)), arguments.all()), 1e-10);
  }
}

TEST_P(EngineGradient, HasAGradientWhereAnInputDependsOnAnother) {
  const Recurrent r = GetParam();
  const auto leaves = random_arguments(r, four_lengths).as_variables();
  const auto arguments = [&] {
    auto dependent = leaves;
    for (auto& state : dependent.states) state = state * leaves.data.mean();
    dependent.parameters[1] = leaves.parameters[1] * leaves.parameters[0].mean();
    return dependent;
  };
  expect_near(second_gradients(run_fused(r, arguments()), leaves.all()),
              second_gradients(run_in_libtorch(r, arguments()), leaves.all()), 1e-10);
}

TEST_P(EngineGradient, HasAGradientWhereDirectionsShareTheirParameters) {
  Recurrent r = GetParam();
  r.bidirectional = true;
  auto arguments = random_arguments(r, four_lengths).as_variables();
  const auto half = static_cast<std::ptrdiff_t>(arguments.parameters.size() / 2);
  std::copy_n(arguments.parameters.begin(), half, arguments.parameters.begin() + half);
  expect_near(second_gradients(run_fused(r, arguments), arguments.parameters),
              second_gradients(run_in_libtorch(r, arguments), arguments.parameters), 1e-10);
}

TEST_P(EngineGradient, CanBeComputedTwice) {
  const auto arguments = random_arguments(GetParam(), four_lengths).as_variables();
  const auto sum = weighted_sum(run_fused(GetParam(), arguments));
  const auto first = torch::autograd::grad({sum}, arguments.all(), {}, /*retain_graph=*/true);
  const auto second = torch::autograd::grad({sum}, arguments.all());
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_SAME(first[i], second[i]);
  EXPECT_THROWS(torch::autograd::grad({sum}, arguments.all()), c10::Error, "backward through the graph a second time");
}

TEST_P(EngineGradient, OfOneInputIsThatOfAll) {
  const auto arguments = random_arguments(GetParam(), four_lengths).as_variables();
  const auto all = gradients(run_fused(GetParam(), arguments), arguments.all());
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const auto& tensor : arguments.all()) tensor.set_requires_grad(false);
    const at::Tensor one = arguments.all()[i].set_requires_grad(true);
    expect_near(gradients(run_fused(GetParam(), arguments), {one}), {all[i]}, 1e-13);
  }
}

TEST_P(EngineGradient, OfOneInputIsAllThatIsComputed) {
  const auto arguments = random_arguments(GetParam(), four_lengths).as_variables();
  const auto outputs = run_fused(GetParam(), arguments);
  const auto all = torch::autograd::grad({weighted_sum(outputs)}, arguments.all(), {}, /*retain_graph=*/true);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto one = torch::autograd::grad({weighted_sum(outputs)}, {arguments.all()[i]}, {}, /*retain_graph=*/true);
    expect_near(one, {all[i]}, 1e-13);
  }
}

TEST_P(EngineGradient, OfOneOutputIsThatOfLibTorch) {
  const Recurrent r = GetParam();
  const auto arguments = random_arguments(r, four_lengths).as_variables();
  const auto fused = run_fused(r, arguments);
  const auto plain = run_in_libtorch(r, arguments);
  for (std::size_t i = 0; i < fused.size(); ++i) {
    const auto of_fused = torch::autograd::grad({weighted_sum({fused[i]})}, arguments.all(), {}, true, false, true);
    auto of_plain = torch::autograd::grad({weighted_sum({plain[i]})}, arguments.all(), {}, true, false, true);
    for (std::size_t k = 0; k < of_fused.size(); ++k) {
      // Where LibTorch has no gradient, the engine may have one of zeros.
      if (of_fused[k].defined() && !of_plain[k].defined()) of_plain[k] = torch::zeros_like(of_fused[k]);
      expect_near({of_fused[k]}, {of_plain[k]}, 1e-10);
    }
  }
}

TEST_P(EngineGradient, RefusesInputsThatHaveChangedSince) {
  const auto arguments = random_arguments(GetParam(), four_lengths).as_variables();
  for (const std::size_t changed : {std::size_t{0}, arguments.states.size() + 1, arguments.states.size() + 2}) {
    const auto outputs = run_fused(GetParam(), arguments);
    {
      const torch::NoGradGuard no_grad;
      arguments.all()[changed].add_(1);
    }
    EXPECT_THROWS(gradients(outputs, arguments.all()), c10::Error, "modified by an inplace operation");
  }
}

TEST_P(EngineGradient, TakesTensorsThatAreNotContiguous) {
  const auto dense = random_arguments(GetParam(), four_lengths).as_variables();
  const auto sparse = dense.with([](const at::Tensor& tensor) {
    const auto apart = at::stack({tensor.detach(), tensor.detach()}, -1).select(-1, 1);
    return apart.set_requires_grad(true);
  });
  ASSERT_FALSE(sparse.data.is_contiguous());
  const auto outputs = run_fused(GetParam(), sparse);
  const auto expected = run_fused(GetParam(), dense);
  for (std::size_t i = 0; i < outputs.size(); ++i) EXPECT_SAME(outputs[i], expected[i]);
  expect_near(gradients(outputs, sparse.all()), gradients(expected, dense.all()), 1e-13);
}

TEST_P(EngineGradient, IsNotRecordedWhereNobodyAsks) {
  const auto arguments = random_arguments(GetParam(), four_lengths).as_variables();
  const auto expected = run_fused(GetParam(), arguments);
  const auto expect_none = [&] {
    const auto outputs = run_fused(GetParam(), arguments);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      EXPECT_FALSE(outputs[i].requires_grad());
      EXPECT_SAME(outputs[i], expected[i]);
    }
    return outputs;
  };
  {
    const torch::NoGradGuard no_grad;
    expect_none();
  }
  {
    const at::AutoDispatchBelowAutograd below_autograd;
    expect_none();
  }
  const c10::InferenceMode inference;
  EXPECT_TRUE(expect_none().front().is_inference());
}

TEST_P(EngineGradient, RefusesInferenceTensorsAsLibTorchDoes) {
  auto arguments = random_arguments(GetParam(), four_lengths).as_variables();
  {
    const c10::InferenceMode inference;
    arguments.data = arguments.data.clone();
  }
  EXPECT_THROWS(run_in_libtorch(GetParam(), arguments), c10::Error, "Inference tensors cannot be saved for backward");
  EXPECT_THROWS(run_fused(GetParam(), arguments), c10::Error, "Inference tensors cannot be saved for backward");
}

TEST_P(EngineGradient, IsTheSameOnEveryTarget) {
  const auto arguments = random_arguments(GetParam(), four_lengths).as_variables();
  const auto expected = gradients(run_fused(GetParam(), arguments), arguments.all());
  for (const auto target : targets()) {
    const TargetGuard guard(target);
    expect_near(gradients(run_fused(GetParam(), arguments), arguments.all()), expected, 1e-12);
  }
}

}  // namespace
}  // namespace packseq::test
