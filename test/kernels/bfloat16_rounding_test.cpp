#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "kernels/bfloat16.hpp"
#include "kernels/precision.hpp"
#include "kernels/two_directions.hpp"

// What exactly the factors of products are rounded to, for lines of any length: where all but one of the factors of a
// sum are 0, it is one rounded number, or the product of two, which a float holds exactly.

namespace packseq::kernels {
namespace {

struct Lines {
  std::size_t inputs;  ///< I
  std::size_t units;   ///< H
  std::size_t rows;    ///< B
  std::size_t steps;
};

/// Less than a vector, a vector, pairs of them, more than a panel and a block of its rows, and what is left of each.
std::vector<Lines> all_lines() {
  std::vector<Lines> result;
  for (const std::size_t inputs : {1U, 2U, 15U, 31U, 32U, 33U, 65U, 131U}) {
    for (const std::size_t units : {1U, 15U, 16U, 17U, 65U, 130U}) {
      for (const std::size_t rows : {1U, 7U}) {
        for (const std::size_t steps : {1U, 5U}) result.push_back({inputs, units, rows, steps});
      }
    }
  }
  return result;
}

/// Positive numbers of all sizes whose products are floats, too.
std::vector<float> numbers(std::size_t count, std::mt19937& random) {
  std::vector<float> result(count);
  std::uniform_real_distribution<float> exponent(-30, 30);
  for (float& number : result) number = std::exp2(exponent(random));
  return result;
}

/// A plain network with relu: h = x W.
template <class Pass>
void describe(const Lines& lines, const std::vector<float>& weight_ih, const std::vector<float>& weight_hh,
              Pass& pass) {
  pass.cell = Cell::rnn_relu;
  pass.precision = Precision::bfloat16;
  pass.input_size = lines.inputs;
  pass.hidden_size = pass.output_size = pass.output_stride = lines.units;
  pass.weight_ih = weight_ih.data();
  pass.weight_hh = weight_hh.data();
  pass.input_rows = lines.rows * lines.steps;
}

Plan plan_of(const Lines& lines) {
  const std::vector<std::int64_t> batch_sizes(lines.steps, static_cast<std::int64_t>(lines.rows));
  return make_plan(batch_sizes, {});
}

std::vector<float> forward(const Lines& lines, const std::vector<float>& weight_ih, const std::vector<float>& input) {
  const std::vector<float> weight_hh(lines.units * lines.units);
  const std::vector<float> h_0(lines.rows * lines.units);
  std::vector<float> output(lines.rows * lines.steps * lines.units);
  std::vector<float> h_n(h_0.size());
  Forward<float> pass;
  describe(lines, weight_ih, weight_hh, pass);
  pass.input = input.data();
  pass.h_0 = h_0.data();
  pass.output = output.data();
  pass.h_n = h_n.data();
  run(std::span<const Forward<float>>(&pass, 1), plan_of(lines), on_threads);
  return output;
}

TEST(Bfloat16, RoundsEveryWeightToTheNearest) {
  test::in_all_ways([] {
    std::mt19937 random(0);
    for (const Lines& lines : all_lines()) {
      const auto weight = numbers(lines.units * lines.inputs, random);
      std::vector<float> input(lines.rows * lines.steps * lines.inputs);
      const auto chosen = [&](std::size_t row) { return (7 * row + 3) % lines.inputs; };
      for (std::size_t row = 0; row < lines.rows * lines.steps; ++row) input[row * lines.inputs + chosen(row)] = 1;
      const auto output = forward(lines, weight, input);
      for (std::size_t i = 0; i < output.size(); ++i) {
        const std::size_t column = chosen(i / lines.units);
        ASSERT_EQ(output[i], test::nearest(weight[i % lines.units * lines.inputs + column])) << lines.inputs;
      }
    }
  });
}

TEST(Bfloat16, RoundsEveryInputToTheNearest) {
  test::in_all_ways([] {
    std::mt19937 random(0);
    for (const Lines& lines : all_lines()) {
      const auto input = numbers(lines.rows * lines.steps * lines.inputs, random);
      std::vector<float> weight(lines.units * lines.inputs);
      for (std::size_t unit = 0; unit < lines.units; ++unit) weight[unit * lines.inputs + unit % lines.inputs] = 1;
      const auto output = forward(lines, weight, input);
      for (std::size_t i = 0; i < output.size(); ++i) {
        const std::size_t column = i % lines.units % lines.inputs;
        ASSERT_EQ(output[i], test::nearest(input[i / lines.units * lines.inputs + column])) << lines.inputs;
      }
    }
  });
}

TEST(Bfloat16, KeepsWhatIsNoNumberInLines) {
  test::in_all_ways([] {
    const Lines lines = {.inputs = 40, .units = 40, .rows = 2, .steps = 1};
    const std::vector<float> ones(lines.units * lines.inputs, 1);
    for (const std::uint32_t bits : {0x7FC00000U, 0x7F800001U, 0xFFFFFFFFU}) {
      std::vector<float> numbers(ones.size(), std::bit_cast<float>(bits));
      for (const float h : forward(lines, ones, numbers)) EXPECT_TRUE(std::isnan(h)) << bits;
      for (const float h : forward(lines, numbers, ones)) EXPECT_TRUE(std::isnan(h)) << bits;
    }
  });
}

/// One step back, of rows whose gradient is that of one unit each, another one for each row.
class StepBack {
 public:
  explicit StepBack(const Lines& lines)
      : lines_(lines),
        weight_ih(numbers(lines.units * lines.inputs, random_)),
        weight_hh(numbers(lines.units * lines.units, random_)),
        input(numbers(lines.rows * lines.inputs, random_)),
        h_0(numbers(lines.rows * lines.units, random_)),
        gradient(numbers(lines.rows, random_)) {
    std::vector<float> output(lines.rows * lines.units, 1);  // above 0, where relu passes gradients on
    std::vector<float> gates(output.size());
    std::vector<float> d_output(output.size());
    for (std::size_t row = 0; row < lines.rows; ++row) d_output[row * lines.units + unit_of(row)] = gradient[row];
    Backward<float> pass;
    describe(lines, weight_ih, weight_hh, pass);
    pass.input = input.data();
    pass.h_0 = h_0.data();
    pass.output = output.data();
    pass.gates = gates.data();
    pass.d_output = d_output.data();
    pass.d_output_stride = lines.units;
    pass.d_h = d_h.data();
    pass.d_input = d_input.data();
    pass.d_weight_ih = d_weight_ih.data();
    pass.d_weight_hh = d_weight_hh.data();
    const Plan plan = plan_of(lines);
    run(std::span<const Backward<float>>(&pass, 1), std::span<const Plan>(&plan, 1), on_threads);
  }

  std::size_t unit_of(std::size_t row) const { return (3 * row + 1) % lines_.units; }

 private:
  Lines lines_;
  std::mt19937 random_{0};

 public:
  std::vector<float> weight_ih, weight_hh, input, h_0, gradient;
  std::vector<float> d_h = std::vector<float>(lines_.rows * lines_.units);
  std::vector<float> d_input = std::vector<float>(lines_.rows * lines_.inputs);
  std::vector<float> d_weight_ih = std::vector<float>(lines_.units * lines_.inputs);
  std::vector<float> d_weight_hh = std::vector<float>(lines_.units * lines_.units);
};

TEST(Bfloat16, RoundsEveryFactorOfGradients) {
  test::in_all_ways([] {
    for (const Lines& lines : all_lines()) {
      if (lines.steps > 1 || lines.units == 15) continue;  // rows of different units: 3 has no part in common with them
      if (lines.units < lines.rows && lines.rows > 1) continue;
      const StepBack step(lines);
      for (std::size_t row = 0; row < lines.rows; ++row) {
        const std::size_t unit = step.unit_of(row);
        const float gradient = test::nearest(step.gradient[row]);
        for (std::size_t i = 0; i < lines.inputs; ++i) {
          ASSERT_EQ(step.d_input[row * lines.inputs + i],
                    gradient * test::nearest(step.weight_ih[unit * lines.inputs + i]));
          ASSERT_EQ(step.d_weight_ih[unit * lines.inputs + i],
                    gradient * test::nearest(step.input[row * lines.inputs + i]));
        }
        for (std::size_t i = 0; i < lines.units; ++i) {
          ASSERT_EQ(step.d_h[row * lines.units + i], gradient * test::nearest(step.weight_hh[unit * lines.units + i]));
          ASSERT_EQ(step.d_weight_hh[unit * lines.units + i],
                    gradient * test::nearest(step.h_0[row * lines.units + i]));
        }
      }
    }
  });
}

}  // namespace
}  // namespace packseq::kernels
