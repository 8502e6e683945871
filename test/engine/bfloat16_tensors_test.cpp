#include <algorithm>
#include <tuple>

#include "engine/recurrent.hpp"
#include "packseq/nn/gru.hpp"
#include "packseq/nn/lstm.hpp"
#include "packseq/nn/rnn.hpp"
#include "packseq/sequence/pack.hpp"
#include "support/precision.hpp"
#include "support/sequences.hpp"
#include "support/throws.hpp"

// Networks whose tensors are of bfloat16.

namespace packseq::test {
namespace {

class BFloat16Tensors : public testing::TestWithParam<Recurrent> {
 protected:
  void SetUp() override { torch::manual_seed(0); }
};
std::vector<Recurrent> all_of_bfloat16() {
  auto all = all_recurrents();
  std::erase_if(all, [](const Recurrent& r) { return r.dtype != at::kBFloat16; });
  return all;
}
INSTANTIATE_TEST_SUITE_P(Networks, BFloat16Tensors, testing::ValuesIn(all_of_bfloat16()));

/// The largest difference, and the root of the mean square.
std::pair<double, double> errors(const at::Tensor& actual, const at::Tensor& right) {
  const at::Tensor difference = actual.to(at::kDouble) - right;
  return {difference.abs().max().item<double>(), difference.square().mean().sqrt().item<double>()};
}

/// Results and gradients. The largest error is one number's, of which chance has a part.
TEST_P(BFloat16Tensors, AreNoFartherFromDoubleThanLibTorchs) {
  if (GetParam().cell == engine::Cell::rnn_relu) return;  // whose gradients jump where a number near 0 is rounded
  Recurrent r = GetParam();
  r.layers = 2;
  r.input_size = 48;
  r.hidden_size = 64;
  if (r.proj_size > 0) r.proj_size = 32;
  const auto arguments = random_arguments(r, {60, 55, 40, 40, 31, 22, 9, 3, 1});
  Recurrent of_double = r;
  of_double.dtype = at::kDouble;
  const auto exact = arguments.with([](const at::Tensor& t) { return t.to(at::kDouble); }).as_variables();
  const auto results = [](Tensors outputs, const Arguments& variables) {
    const auto of_outputs = gradients(outputs, variables.all());
    outputs.insert(outputs.end(), of_outputs.begin(), of_outputs.end());
    return outputs;
  };
  const auto right = results(run_in_libtorch(of_double, exact), exact);
  const auto plain_variables = arguments.as_variables();
  const auto plain = results(run_in_libtorch(r, plain_variables), plain_variables);
  in_both_ways([&] {
    const auto variables = arguments.as_variables();
    const auto fused = results(run_fused(r, variables), variables);
    for (std::size_t i = 0; i < fused.size(); ++i) {
      EXPECT_EQ(fused[i].scalar_type(), at::kBFloat16);
      const auto [largest, rms] = errors(fused[i], right[i]);
      const auto [largest_of_libtorch, rms_of_libtorch] = errors(plain[i], right[i]);
      EXPECT_LE(largest, 1.5 * largest_of_libtorch) << "tensor " << i;
      EXPECT_LE(rms, 1.1 * rms_of_libtorch) << "tensor " << i;
    }
  });
}

/// What a layer hands to the next one is rounded as it is when that multiplies with it. Gradients are rounded once more
/// between the layers; a ReLU is open in both or in none.
TEST_P(BFloat16Tensors, HaveTheBitsOfFloatTensorsWithRoundedProducts) {
  in_both_ways([&] {
    for (const std::int64_t hidden_size : {5, 33, 64}) {
      Recurrent r = GetParam();
      r.layers = 2;
      r.hidden_size = hidden_size;
      r.input_size = 7;
      const auto arguments = random_arguments(r, {9, 9, 7, 5, 5, 4, 3, 1}).as_variables();
      const auto actual = run_fused(r, arguments);
      r.dtype = at::kFloat;
      const auto in_float = arguments.with([](const at::Tensor& t) { return t.to(at::kFloat); }).as_variables();
      const SwitchGuard guard(at::Float32Precision::BF16);
      Tensors rounded;
      for (const at::Tensor& wide : run_fused(r, in_float)) rounded.push_back(wide.to(at::kBFloat16));
      expect_same(actual, rounded);
      const auto actual_gradients = gradients(actual, arguments.all());
      const auto wide_gradients = gradients(rounded, in_float.all());
      for (std::size_t i = 0; i < actual_gradients.size(); ++i) {
        const double largest = wide_gradients[i].abs().max().item<double>();
        const at::Tensor difference = actual_gradients[i].to(at::kFloat) - wide_gradients[i];
        EXPECT_LE(difference.abs().max().item<double>(), 2e-2 * largest) << "gradient " << i;
      }
    }
  });
}

/// A gate that bfloat16 would round to 1, as of a network that is to remember for long, has a gradient.
TEST_P(BFloat16Tensors, HaveGradientsOfGatesThatAreNearlyOpen) {
  Recurrent r = GetParam();
  if (r.cell != engine::Cell::lstm && r.cell != engine::Cell::gru) return;
  r.input_size = 8;
  r.hidden_size = 16;
  if (r.proj_size > 0) r.proj_size = 8;
  auto arguments = random_arguments(r, {30, 20, 20, 9});
  for (at::Tensor& parameter : arguments.parameters) {
    // Of an LSTM's forget gate, of a GRU's update gate.
    if (parameter.dim() == 1) parameter.narrow(0, r.hidden_size, r.hidden_size).add_(3.5);
  }
  const auto variables = arguments.as_variables();
  const auto actual = gradients(run_fused(r, variables), variables.all());
  r.dtype = at::kFloat;
  const auto in_float = arguments.with([](const at::Tensor& t) { return t.to(at::kFloat); }).as_variables();
  const auto right = gradients(run_in_libtorch(r, in_float), in_float.all());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    // Of its rows alone, where a tensor has them: others' gradients are larger.
    const bool has_rows = right[i].dim() <= 2 && right[i].size(0) > 2 * r.hidden_size;
    const auto of_gate = [&](const at::Tensor& all) {
      return has_rows ? all.narrow(0, r.hidden_size, r.hidden_size).to(at::kFloat) : all.to(at::kFloat);
    };
    const at::Tensor difference = of_gate(actual[i]) - of_gate(right[i]);
    EXPECT_LE(difference.norm().item<float>(), .1F * of_gate(right[i]).norm().item<float>()) << "gradient " << i;
  }
}

/// Rows of an odd number of them, or at an odd place in memory, are no rows of pairs.
TEST_P(BFloat16Tensors, MayLieAnywhere) {
  const Recurrent r = GetParam();
  const auto arguments = random_arguments(r, four_lengths);
  const auto moved = arguments.with([](const at::Tensor& tensor) {
    const auto memory = torch::full({tensor.numel() + 2}, std::nan(""), tensor.options());
    return memory.narrow(0, 1, tensor.numel()).copy_(tensor.flatten()).view(tensor.sizes());
  });
  const auto expected = run_fused(r, arguments);
  const auto actual = run_fused(r, moved);
  for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_SAME(actual[i], expected[i]);
}

TEST_P(BFloat16Tensors, HaveSecondGradients) {
  Recurrent r = GetParam();
  r.layers = 2;
  r.dropout = .5;
  if (r.cell == engine::Cell::rnn_relu) return;
  const auto arguments = random_arguments(r, four_lengths).as_variables();
  const auto actual = second_gradients(run_fused(r, arguments), arguments.all());
  const auto right = second_gradients(run_rightly(r, arguments), arguments.all());
  expect_near(actual, right, 6e-2);
}

TEST(BFloat16Network, RefusesOtherDtypes) {
  nn::LSTM lstm(3, 4);
  lstm->to(at::kBFloat16);
  EXPECT_THROWS(lstm->forward(pack_sequence({torch::rand({2, 3})})), c10::TypeError,
                "the data of input is Float on cpu, but the parameters are BFloat16 on cpu");
  const auto packed = pack_sequence({torch::rand({2, 3}).to(at::kBFloat16)});
  const auto state = torch::zeros({1, 1, 4});
  EXPECT_THROWS(lstm->forward(packed, {state.to(at::kBFloat16), state}), c10::TypeError, "state.c is Float on cpu");
}

/// Whatever a module's member and LibTorch's switch say.
TEST(BFloat16Network, HasOnePrecision) {
  torch::manual_seed(0);
  nn::GRU gru(30, 40);
  gru->to(at::kBFloat16);
  const auto packed = pack_sequence({torch::randn({9, 30}).to(at::kBFloat16)});
  const auto expected = gru->forward(packed).output.data();
  for (const auto precision : {engine::Precision::float32, engine::Precision::bfloat16}) {
    gru->precision = precision;
    EXPECT_SAME(gru->forward(packed).output.data(), expected);
  }
  gru->precision = engine::Precision::automatic;
  for (const auto switched : {at::Float32Precision::IEEE, at::Float32Precision::BF16}) {
    const SwitchGuard guard(switched);
    EXPECT_SAME(gru->forward(packed).output.data(), expected);
  }
}

/// What does not fit into a step from one number to the next, a state that is not rounded takes up.
TEST(BFloat16Network, KeepsItsStateInFloatInsideAPass) {
  const Recurrent r = {.cell = engine::Cell::gru, .dtype = at::kBFloat16, .input_size = 1, .hidden_size = 1};
  Arguments arguments = random_arguments(r, {400});
  for (at::Tensor& parameter : arguments.parameters) parameter.zero_();
  arguments.parameters[2][1] = 6;  // z: each step takes 1 / 404 of the way from h to n
  arguments.parameters[2][2] = 1;  // n
  arguments.states[0].zero_();
  Recurrent of_double = r;
  of_double.dtype = at::kDouble;
  const auto exact = arguments.with([](const at::Tensor& t) { return t.to(at::kDouble); });
  const double expected = run_in_libtorch(of_double, exact)[1].item<double>();
  EXPECT_NEAR(run_fused(r, arguments)[1].item<double>(), expected, 2e-3);
  EXPECT_GT(std::abs(run_in_libtorch(r, arguments)[1].item<double>() - expected), 1e-2);
}

}  // namespace
}  // namespace packseq::test
