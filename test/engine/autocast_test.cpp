#include "engine/autocast.hpp"

#include <ATen/ops/cat.h>
#include <c10/core/InferenceMode.h>

#include <vector>

#include "engine/as_in_libtorch.hpp"
#include "engine/cast.hpp"
#include "support/precision.hpp"
#include "support/sequences.hpp"

// What LibTorch's operators do under autocast with the engine beneath them.

namespace packseq::test {
namespace {

class AutocastOf : public testing::TestWithParam<Recurrent> {
 protected:
  void SetUp() override { torch::manual_seed(0); }
};
INSTANTIATE_TEST_SUITE_P(Networks, AutocastOf, testing::ValuesIn(all_kinds()));

/// Packed batches of unlike and of like lengths, one of one document, and a padded one.
std::vector<Arguments> all_layouts(const Recurrent& r) {
  return {random_arguments(r, four_lengths), random_arguments(r, {3, 3, 3}), random_arguments(r, {3}),
          random_padded_arguments(r, 3, 2)};
}

/// All that autocast brings to one dtype.
std::vector<Dtypes> all_dtypes() {
  std::vector<Dtypes> all;
  for (const auto data : {at::kFloat, at::kBFloat16}) {
    for (const auto states : {at::kFloat, at::kBFloat16}) {
      for (const auto parameters : {at::kFloat, at::kBFloat16}) all.push_back({data, states, parameters});
    }
  }
  return all;
}

std::vector<c10::ScalarType> dtypes_of(const Tensors& tensors) {
  std::vector<c10::ScalarType> all;
  for (const auto& tensor : tensors) all.push_back(tensor.scalar_type());
  return all;
}

TEST_P(AutocastOf, HasTheDtypesOfAPaddedBatchInLibTorch) {
  const Recurrent& r = GetParam();
  for (const Dtypes& dtypes : all_dtypes()) {
    SCOPED_TRACE(testing::Message() << r << " of " << dtypes.data << ", " << dtypes.states << ", "
                                    << dtypes.parameters);
    const auto padded = of_dtypes(random_padded_arguments(r, 3, 2), dtypes);
    const auto expected = [&] {
      const Autocast autocast;
      return dtypes_of(run_in_libtorch(r, padded));
    }();
    for (const auto& layout : all_layouts(r)) {
      const auto arguments = of_dtypes(layout, dtypes).as_variables();
      const auto outputs = run_cast(r, arguments);
      EXPECT_EQ(dtypes_of(outputs), expected);
      EXPECT_EQ(dtypes_of(gradients_in_engine(outputs, arguments)), dtypes_of(arguments.all()));
      const torch::NoGradGuard no_grad;
      expect_same(run_cast(r, arguments), outputs);
      const c10::InferenceMode inference_mode;
      expect_same(run_cast(r, arguments), outputs);
    }
  }
}

TEST_P(AutocastOf, HasTheStridesOfLibTorch) {
  for (const bool batch_first : {false, true}) {
    Recurrent r = GetParam();
    r.batch_first = batch_first;
    const auto arguments = random_padded_arguments(r, 3, 2).as_variables();
    const Autocast autocast;
    expect_same_strides(run_fused(r, arguments), run_in_libtorch(r, arguments));
  }
}

/// The rms of the differences over the rms of what is expected.
double relative_error(const at::Tensor& actual, const at::Tensor& expected) {
  return ((actual.to(at::kDouble) - expected).norm() / expected.norm()).item<double>();
}

TEST_P(AutocastOf, IsAsNearToDoubleAsLibTorch) {
  Recurrent r = GetParam();
  r.input_size = r.hidden_size = 48;
  if (r.proj_size > 0) r.proj_size = 24;
  const auto packed = random_arguments(r, {40, 33, 25, 25, 12, 3});
  for (const auto& fitting : {packed, random_padded_arguments(r, 40, 4)}) {
    const auto arguments = fitting.as_variables();
    const auto in_double = fitting.with([](const auto& tensor) { return tensor.to(at::kDouble); }).as_variables();
    const auto exact = run(r, in_double);
    const auto exact_gradients = gradients({exact[0]}, in_double.all());
    const auto actual = run_cast(r, arguments);
    const auto of_libtorch = [&] {
      const Autocast autocast;
      return run_in_libtorch(r, arguments);
    }();
    for (std::size_t i = 0; i < exact.size(); ++i) {
      EXPECT_LE(relative_error(actual[i], exact[i]), 1.1 * relative_error(of_libtorch[i], exact[i])) << "result " << i;
    }
    if (r.cell == engine::Cell::rnn_relu) continue;  // rounding switches its units on and off
    const auto actual_gradients = gradients({actual[0].to(at::kDouble)}, arguments.all());
    const auto of_libtorch_gradients = gradients({of_libtorch[0].to(at::kDouble)}, arguments.all());
    for (std::size_t i = 0; i < exact_gradients.size(); ++i) {
      EXPECT_LE(relative_error(actual_gradients[i], exact_gradients[i]),
                1.1 * relative_error(of_libtorch_gradients[i], exact_gradients[i]))
          << "gradient " << i;
    }
  }
}

/// A document's result has the same bits in any batch, packed or padded.
TEST_P(AutocastOf, KnowsNoOtherDocuments) {
  const Recurrent& r = GetParam();
  const auto batch = random_padded_arguments(r, 5, 3);
  const auto outputs = run_cast(r, batch);
  for (std::int64_t i = 0; i < 3; ++i) {
    auto alone = batch;
    alone.data = batch.data.narrow(1, i, 1).squeeze(1);
    alone.batch_sizes = torch::ones({5}, at::kLong);
    for (auto& state : alone.states) state = state.narrow(1, i, 1);
    EXPECT_SAME(run_cast(r, alone)[0], outputs[0].select(1, i));
  }
}

TEST_P(AutocastOf, LetsOutputsBeChangedInPlace) {
  const Recurrent& r = GetParam();
  for (const auto& layout : all_layouts(r)) {
    const auto arguments = layout.as_variables();
    auto outputs = run_cast(r, arguments);
    const auto expected = gradients({outputs[0] * 2}, arguments.all());
    outputs = run_cast(r, arguments);
    outputs[0].mul_(2);
    expect_same(gradients({outputs[0]}, arguments.all()), expected);
  }
}

TEST_P(AutocastOf, HasSecondGradients) {
  Recurrent r = GetParam();
  if (r.cell == engine::Cell::rnn_relu) return;  // rounding switches its units on and off
  r.layers = 1;
  const auto arguments = random_arguments(r, four_lengths).as_variables();
  const auto expected = second_gradients({run(r, arguments)[0]}, arguments.all());
  const auto outputs = run_cast(r, arguments);
  expect_near(second_gradients({outputs[0].to(at::kFloat)}, arguments.all()), expected, 0.05);
}

/// In one region, in the other, and where autocast is switched off inside.
TEST_P(AutocastOf, EndsWithItsRegion) {
  const Recurrent& r = GetParam();
  const auto arguments = random_arguments(r, four_lengths);
  const auto exact = run_fused(r, arguments);
  const Autocast outer;
  const auto expected = run_fused(r, arguments);
  EXPECT_FALSE(at::equal(expected[0].to(at::kFloat), exact[0]));
  {
    const Autocast off(at::kBFloat16, /*on=*/false);
    expect_same(run_fused(r, arguments), exact);
    const Autocast on;
    expect_same(run_fused(r, arguments), expected);
  }
  expect_same(run_fused(r, arguments), expected);
}

/// Autocast changes nothing in them.
TEST_P(AutocastOf, LeavesDoubleAndBFloat16AsTheyAre) {
  const Recurrent& r = GetParam();
  for (const auto dtype : {at::kDouble, at::kBFloat16}) {
    for (const auto& layout : all_layouts(r)) {
      const auto arguments = of_dtypes(layout, {dtype, dtype, dtype}).as_variables();
      const auto expected = run_fused(r, arguments);
      const auto actual = run_cast(r, arguments);
      expect_same(actual, expected);
      expect_same(gradients(actual, arguments.all()), gradients(expected, arguments.all()));
    }
  }
}

/// They cannot be saved for backward, but casts of them can.
TEST_P(AutocastOf, TakesInferenceTensors) {
  const Recurrent& r = GetParam();
  auto arguments = random_arguments(r, four_lengths);
  for (auto& parameter : arguments.parameters) parameter.requires_grad_();
  auto of_inference = arguments;
  {
    const c10::InferenceMode inference_mode;
    of_inference.data = arguments.data.clone();
    of_inference.batch_sizes = arguments.batch_sizes.clone();
    for (auto& state : of_inference.states) state = state.clone();
  }
  ASSERT_TRUE(of_inference.data.is_inference());
  expect_same(gradients(run_cast(r, of_inference), arguments.parameters),
              gradients(run_cast(r, arguments), arguments.parameters));
}

/// As a program does that writes the next one where the last one was.
TEST_P(AutocastOf, LetsStatesBeChangedInPlace) {
  const Recurrent& r = GetParam();
  for (const auto& layout : all_layouts(r)) {
    auto arguments = layout.with([](const at::Tensor& tensor) { return tensor.detach().clone(); });
    for (auto& parameter : arguments.parameters) parameter.requires_grad_();
    const auto expected = gradients(run_cast(r, arguments), arguments.parameters);
    const auto outputs = run_cast(r, arguments);
    for (auto& state : arguments.states) state.zero_();
    expect_same(gradients(outputs, arguments.parameters), expected);
  }
}

/// The final state of a GRU is of float, so that step by step it comes to the same bits.
TEST(Autocast, HandsStatesOn) {
  const Recurrent r = {.cell = engine::Cell::gru, .dtype = at::kFloat};
  auto arguments = random_padded_arguments(r, 4, 2);
  const auto expected = run_cast(r, arguments);
  const at::Tensor all = arguments.data;
  Tensors outputs;
  for (std::int64_t step = 0; step < 4; ++step) {
    arguments.data = all.narrow(0, step, 1);
    const auto results = run_cast(r, arguments);
    outputs.push_back(results[0]);
    arguments.states[0] = results[1];
  }
  EXPECT_SAME(at::cat(outputs), expected[0]);
  EXPECT_SAME(arguments.states[0], expected[1]);
}

/// That of an LSTM is of bfloat16: it comes to the bits of tensors of float that are rounded wherever it is handed on.
TEST(Autocast, RoundsTheStatesThatAnLstmHandsOn) {
  const Recurrent r = {.dtype = at::kFloat};
  auto arguments = random_padded_arguments(r, 4, 2);
  auto in_float = arguments;
  const at::Tensor whole = run_cast(r, arguments)[0];
  const at::Tensor all = arguments.data;
  Tensors outputs;
  for (std::int64_t step = 0; step < 4; ++step) {
    arguments.data = in_float.data = all.narrow(0, step, 1);
    const auto results = run_cast(r, arguments);
    const SwitchGuard rounded_products(at::Float32Precision::BF16);
    const auto expected = run_fused(r, in_float);
    for (std::size_t i = 0; i < results.size(); ++i) EXPECT_SAME(results[i], expected[i].to(at::kBFloat16));
    outputs.push_back(results[0]);
    arguments.states = {results[1], results[2]};
    in_float.states = {results[1].to(at::kFloat), results[2].to(at::kFloat)};
  }
  expect_near({at::cat(outputs)}, {whole}, tolerance_of(at::kBFloat16));
  EXPECT_FALSE(at::equal(at::cat(outputs), whole));
}

TEST(Autocast, TellsTheDtypesOfResults) {
  const Recurrent r = {.dtype = at::kFloat, .proj_size = 2};
  const auto arguments = random_arguments(r, four_lengths);
  const engine::Network network = {
      r.cell,   arguments.data, arguments.batch_sizes, arguments.states, arguments.parameters, r.bias,
      r.layers, r.dropout,      /*train=*/true,        r.bidirectional};
  EXPECT_FALSE(engine::is_cast(network));
  EXPECT_EQ(engine::result_dtypes(network).h, at::kFloat);
  const Autocast autocast;
  EXPECT_TRUE(engine::is_cast(network));
  EXPECT_EQ(engine::result_dtypes(network).h, at::kBFloat16);
  EXPECT_EQ(engine::result_dtypes(network).c, at::kFloat);
}

}  // namespace
}  // namespace packseq::test
