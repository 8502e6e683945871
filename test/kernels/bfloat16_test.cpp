#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <vector>

#include "kernels/bfloat16.hpp"
#include "kernels/formulas.hpp"
#include "kernels/precision.hpp"
#include "kernels/two_directions.hpp"

// Products of factors that are rounded to bfloat16, with the instructions that multiply them and without.

namespace packseq::kernels {
namespace {

const Sizes small = {.input = 5, .hidden = 21, .projection = 9};
const Sizes large = {.input = 131, .hidden = 150, .projection = 67};

using test::in_all_ways;
using test::nearest;

/// What a factor is rounded to, as a network shows it: an RNN of one unit that returns its input.
std::vector<float> rounded(const std::vector<float>& numbers) {
  const float one = 1;
  const float zero = 0;
  std::vector<float> results(numbers.size());
  std::vector<float> h_n(numbers.size());
  Forward<float> direction;
  direction.cell = Cell::rnn_relu;
  direction.precision = Precision::bfloat16;
  direction.input_size = direction.hidden_size = direction.output_size = direction.output_stride = 1;
  direction.weight_ih = &one;
  direction.weight_hh = &zero;
  direction.input = numbers.data();
  direction.input_rows = numbers.size();
  const std::vector<float> zeros(numbers.size());
  direction.h_0 = zeros.data();
  direction.output = results.data();
  direction.h_n = h_n.data();
  const std::array<std::int64_t, 1> batch_sizes_of_one = {static_cast<std::int64_t>(numbers.size())};
  run(std::span<const Forward<float>>(&direction, 1), make_plan(batch_sizes_of_one, {}), on_threads);
  return results;
}

TEST(Bfloat16, RoundsToTheNearest) {
  std::vector<float> numbers = {0,
                                1,
                                1.00390625F,  // between two, the lower one even
                                1.01171875F,  // the upper one
                                3.3895e38F,
                                3.39e38F,
                                std::numeric_limits<float>::max(),
                                std::numeric_limits<float>::infinity(),
                                std::numeric_limits<float>::min(),
                                std::numeric_limits<float>::denorm_min(),
                                1.1754942e-38F};
  std::mt19937 random(0);
  while (numbers.size() < 3000) {
    const float x = std::bit_cast<float>(static_cast<std::uint32_t>(random() & 0x7FFFFFFFU));
    if (!std::isnan(x)) numbers.push_back(x);
  }
  in_all_ways([&] {
    const std::vector<float> results = rounded(numbers);
    for (std::size_t i = 0; i < numbers.size(); ++i) EXPECT_EQ(results[i], nearest(numbers[i])) << numbers[i];
  });
}

TEST(Bfloat16, KeepsWhatIsNoNumber) {
  in_all_ways([] {
    for (const std::uint32_t bits : {0x7FC00000U, 0x7F800001U, 0x7FFFFFFFU, 0xFFFFFFFFU, 0xFF800001U}) {
      EXPECT_TRUE(std::isnan(rounded({std::bit_cast<float>(bits)})[0])) << bits;
    }
  });
}

/// The rms of the differences of some numbers, over the rms of the numbers.
template <class A, class B>
double difference(const std::vector<A>& actual, const std::vector<B>& expected) {
  double of_expected = 1e-30;
  double of_both = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const auto is = static_cast<double>(expected[i]);
    of_expected += is * is;
    of_both += (static_cast<double>(actual[i]) - is) * (static_cast<double>(actual[i]) - is);
  }
  return std::sqrt(of_both / of_expected);
}

TEST(Bfloat16, IsNearTheFormulas) {
  in_all_ways([] {
    for (const Case& of : all_cases(Precision::bfloat16)) {
      SCOPED_TRACE(testing::Message() << of);
      TwoDirections<double> layer(of, small);
      TwoDirections<float> computed(of, small);
      computed.run_on(2);
      for (const std::size_t d : {0U, 1U}) {
        const Results expected = Formulas(of, small, layer[d]).run(d == 1);
        EXPECT_LT(difference(computed[d].output, expected.output), 4e-3);
        EXPECT_GT(difference(computed[d].output, expected.output), 1e-5) << "nothing is rounded";
        const double of_cells = of.cell == Cell::lstm ? difference(computed[d].c_n, expected.c_n) : 0;
        EXPECT_LT(of_cells, 4e-3);
      }
    }
  });
}

/// All that the passes leave is as near to what they leave in float.
void expect_near_float(const Case& of, const Sizes& sizes, double bound) {
  SCOPED_TRACE(testing::Message() << of);
  Case exact = of;
  exact.precision = Precision::float32;
  TwoDirections<float> computed(of, sizes);
  TwoDirections<float> expected(exact, sizes);
  computed.run_on(2);
  expected.run_on(2);
  const auto of_computed = computed.results();
  const auto of_expected = expected.results();
  for (std::size_t i = 0; i < of_computed.size(); ++i) {
    EXPECT_LT(difference(of_computed[i], of_expected[i]), bound) << "result " << i;
  }
}

/// Several panels, and blocks of them.
TEST(Bfloat16, IsNearFloatOfManyUnits) {
  in_all_ways([] {
    for (const auto cell : {Cell::lstm, Cell::gru, Cell::rnn_tanh}) {
      expect_near_float({.cell = cell, .has_projection = cell == Cell::lstm, .precision = Precision::bfloat16}, large,
                        0.02);
    }
  });
}

TEST(Bfloat16, HasGradientsNearThoseOfFloat) {
  in_all_ways([] {
    for (const Case& of : all_cases(Precision::bfloat16)) {
      // Where a unit is near 0, rounding switches it on or off.
      if (of.keeps) expect_near_float(of, small, of.cell == Cell::rnn_relu ? 0.1 : 0.01);
    }
  });
}

/// Over tensors of float that hold the numbers of tensors of bfloat16.
TwoDirections<float> with_numbers_of(TwoDirections<BFloat16>& narrow, const Case& of, const Sizes& sizes) {
  TwoDirections<float> wide(of, sizes);
  const auto copy = [](const std::vector<BFloat16>& from, std::vector<float>& to) {
    std::ranges::transform(from, to.begin(), [](BFloat16 number) { return computed(number); });
  };
  for (const std::size_t d : {0U, 1U}) {
    const Tensors<BFloat16>& from = narrow[d];
    Tensors<float>& to = wide[d];
    copy(from.weight_ih, to.weight_ih);
    copy(from.weight_hh, to.weight_hh);
    copy(from.weight_hr, to.weight_hr);
    copy(from.bias_ih, to.bias_ih);
    copy(from.bias_hh, to.bias_hh);
    copy(from.input, to.input);
    copy(from.h_0, to.h_0);
    copy(from.c_0, to.c_0);
    copy(from.d_output, to.d_output);
    copy(from.d_cells, to.d_cells);
    to.d_h = from.d_h;
    to.d_c = from.d_c;
  }
  return wide;
}

/// What tensors of bfloat16 hold is what tensors of float would, rounded: outputs to the bit; in gradients less than
/// the products of bfloat16 differ from those of float.
TEST(Bfloat16, ReadsAndWritesTensorsOfIt) {
  in_all_ways([] {
    for (const Case& of : all_cases(Precision::bfloat16)) {
      SCOPED_TRACE(testing::Message() << of);
      TwoDirections<BFloat16> narrow(of, small);
      TwoDirections<float> wide = with_numbers_of(narrow, of, small);
      narrow.run_on(2);
      wide.run_on(2);
      for (const std::size_t d : {0U, 1U}) {
        for (std::size_t i = 0; i < wide[d].output.size(); ++i) {
          ASSERT_EQ(computed(narrow[d].output[i]), nearest(wide[d].output[i])) << i;
        }
      }
      const auto actual = narrow.results();
      const auto expected = wide.results();
      for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_LT(difference(actual[i], expected[i]), 5e-3) << i;
    }
  });
}

TEST(Bfloat16, ComesToTheSameOnSeveralThreads) {
  in_all_ways([] {
    for (const Case& of : all_cases(Precision::bfloat16)) {
      SCOPED_TRACE(testing::Message() << of);
      TwoDirections<float> one(of, small);
      TwoDirections<float> three(of, small);
      one.run_on(1);
      three.run_on(3);
      EXPECT_TRUE(three.results() == one.results());
    }
  });
}

/// Two of them in the place of a float, where the CPU multiplies them; on its best target.
TEST(Bfloat16, PacksAWeightInHalfTheMemory) {
  for (const bool off : {false, true}) {
    const test::InstructionsOff switched(off);
    const bool has_pairs = has_bfloat16_instructions();
    for (const std::size_t input : {64U, 65U}) {
      Forward<float> direction;
      direction.input_size = input;
      direction.hidden_size = direction.output_size = 64;
      const std::size_t in_float = packed_size(direction, Role::ih);
      direction.precision = Precision::bfloat16;
      EXPECT_EQ(packed_size(direction, Role::ih), has_pairs ? in_float / input * ((input + 1) / 2) : in_float);
    }
  }
}

/// Products of double are never rounded.
TEST(Bfloat16, ChangesNothingForDouble) {
  for (const Case& of : all_cases(Precision::bfloat16)) {
    Case exact = of;
    exact.precision = Precision::float32;
    TwoDirections<double> computed(of, small);
    TwoDirections<double> expected(exact, small);
    computed.run_on(2);
    expected.run_on(2);
    EXPECT_TRUE(computed.results() == expected.results()) << of;
  }
}

}  // namespace
}  // namespace packseq::kernels
