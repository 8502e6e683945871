#include <algorithm>
#include <chrono>
#include <limits>
#include <vector>

#include "engine/recurrent.hpp"
#include "support/sequences.hpp"

namespace packseq::test {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
/// Both have NaN and infinities in the same places, and elsewhere numbers that are close.
void expect_same_pattern(const Tensors& actual, const Tensors& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    // A sum of large numbers is as much off as they are large.
    const auto dtype = actual[i].scalar_type();
    const double tolerance = dtype == at::kDouble ? 1e-9 : dtype == at::kFloat ? 1e-2 : 5e-2;
    ASSERT_TRUE(at::allclose(actual[i], expected[i], tolerance, tolerance, /*equal_nan=*/true))
        << "tensor " << i << "\n"
        << actual[i] << "\n"
        << expected[i];
  }
}

class SpecialValues : public testing::TestWithParam<Recurrent> {
 protected:
  void SetUp() override { torch::manual_seed(0); }
};
INSTANTIATE_TEST_SUITE_P(Networks, SpecialValues, testing::ValuesIn(all_recurrents()));

TEST_P(SpecialValues, GoWhereTheyGoInLibTorch) {
  const Recurrent& r = GetParam();
  const std::size_t inputs = random_arguments(r, four_lengths).all().size();
  for (const double value : {std::nan(""), infinity, -infinity, 1e4, -1e4, 720.0, -720.0}) {
    for (std::size_t i = 0; i < inputs; ++i) {
      SCOPED_TRACE(testing::Message() << r << ", " << value << " in tensor " << i);
      const auto arguments = random_arguments(r, four_lengths);
      arguments.all()[i].view(-1)[1] = value;
      expect_same_pattern(run_fused(r, arguments), run_rightly(r, arguments));
    }
  }
}

TEST_P(SpecialValues, SaturateEveryGateAsInLibTorch) {
  const Recurrent& r = GetParam();
  for (const double value : {infinity, -infinity, 1e30, -1e30, 1e3, -1e3, 50.0, -50.0}) {
    if (!r.bias || r.cell == engine::Cell::rnn_relu) continue;
    SCOPED_TRACE(testing::Message() << r << ", " << value);
    const auto arguments = random_arguments(r, four_lengths);
    for (std::int64_t row = 0; row < arguments.parameters[2].size(0); ++row) {
      const auto changed = arguments.with([](const at::Tensor& tensor) { return tensor.clone(); });
      changed.parameters[2][row] = value;
      if (r.cell == engine::Cell::lstm) changed.states[1].fill_(infinity);  // times a gate that is closed
      expect_same_pattern(run_fused(r, changed), run_rightly(r, changed));
    }
  }
}

TEST_P(SpecialValues, GiveTheGradientsOfLibTorch) {
  const Recurrent& r = GetParam();
  for (const double value : {std::nan(""), 1e4, -1e4}) {
    SCOPED_TRACE(testing::Message() << r << ", " << value);
    const auto arguments = random_arguments(r, four_lengths);
    arguments.data.view(-1)[1] = value;
    const auto fused = arguments.as_variables();
    const auto plain = arguments.as_variables();
    expect_same_pattern(gradients(run_fused(r, fused), fused.all()), gradients(run_rightly(r, plain), plain.all()));
  }
}

/// The least time of a forward pass, in ns, for each of some arguments in turn: what else runs only adds to it.
std::vector<double> least_times(const Recurrent& r, const std::vector<Arguments>& contenders) {
  std::vector<double> times(contenders.size(), infinity);
  for (int round = 0; round < 15; ++round) {
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      const auto start = std::chrono::steady_clock::now();
      run_fused(r, contenders[i]);
      const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - start;
      times[i] = std::min(times[i], time.count());
    }
  }
  return times;
}

TEST(DenormalNumbers, CostLittle) {
  for (const auto cell : all_cells) {
    const Recurrent r = {.cell = cell, .dtype = at::kFloat, .bias = false, .input_size = 64, .hidden_size = 64};
    auto normal = random_arguments(r, std::vector<std::int64_t>(16, 50));
    auto denormal = normal;
    denormal.data = normal.data * 1e-40;
    denormal.states = normal.with([](const at::Tensor& tensor) { return tensor * 1e-40; }).states;
    const auto times = least_times(r, {normal, denormal});
    EXPECT_LT(times[1], 3 * times[0]) << r;
  }
}

}  // namespace
}  // namespace packseq::test
