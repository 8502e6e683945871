#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "engine/recurrent.hpp"
#include "support/precision.hpp"
#include "support/sequences.hpp"

// What is no ordinary number, in products of bfloat16.

namespace packseq::test {
namespace {

constexpr float nan_of_all_bits = std::bit_cast<float>(0x7FFFFFFFU);  // rounded as a number it would overflow to -0
constexpr float endless = std::numeric_limits<float>::infinity();
constexpr float largest_rounded = std::bit_cast<float>(0x7F7F0000U);    // 3.3895e38, the largest of bfloat16
constexpr float first_to_overflow = std::bit_cast<float>(0x7F7F8000U);  // 3.3962e38, from which infinity is as near

std::vector<Recurrent> recurrents_of_float() {
  std::vector<Recurrent> all;
  for (const auto& [input_size, hidden_size] : {std::pair(3, 5), {35, 37}}) {  // odd: the last ones are in half a pair
    for (Recurrent r : all_recurrents()) {
      if (r.dtype != at::kFloat) continue;
      r.input_size = input_size;
      r.hidden_size = hidden_size;
      all.push_back(r);
    }
  }
  return all;
}

class Bfloat16Values : public testing::TestWithParam<Recurrent> {
 protected:
  void SetUp() override { torch::manual_seed(0); }
};
INSTANTIATE_TEST_SUITE_P(Networks, Bfloat16Values, testing::ValuesIn(recurrents_of_float()));

Tensors run_rounded(const Recurrent& r, const Arguments& arguments) {
  const SwitchGuard guard(at::Float32Precision::BF16);
  return run_fused(r, arguments);
}

/// The first of a tensor, and its last.
std::vector<std::int64_t> places_in(const at::Tensor& tensor) { return {0, tensor.numel() - 1}; }

TEST_P(Bfloat16Values, GoWhereTheyGoInFloat) {
  const Recurrent& r = GetParam();
  in_both_ways([&] {
    for (const float value : {std::nanf(""), nan_of_all_bits, endless, -endless}) {
      for (std::size_t i = 0; i < random_arguments(r, four_lengths).all().size(); ++i) {
        for (const std::int64_t place : places_in(random_arguments(r, four_lengths).all()[i])) {
          const auto arguments = random_arguments(r, four_lengths);
          arguments.all()[i].view(-1)[place] = value;
          const auto actual = run_rounded(r, arguments);
          const auto expected = run_in_libtorch(r, arguments);
          for (std::size_t k = 0; k < actual.size(); ++k) {
            ASSERT_TRUE(at::allclose(actual[k], expected[k], 0.05, 0.05, /*equal_nan=*/true))
                << r << ", " << value << " at " << place << " of tensor " << i << "\n"
                << actual[k] << "\n"
                << expected[k];
          }
        }
      }
    }
  });
}

TEST_P(Bfloat16Values, LeaveNoNumberInGradientsWhereFloatHasNone) {
  const Recurrent& r = GetParam();
  in_both_ways([&] {
    const auto arguments = random_arguments(r, four_lengths);
    arguments.data.view(-1)[1] = nan_of_all_bits;
    const auto rounded = arguments.as_variables();
    const auto plain = arguments.as_variables();
    const auto actual = gradients_in_engine(run_rounded(r, rounded), rounded);
    const auto expected = gradients(run_in_libtorch(r, plain), plain.all());
    for (std::size_t i = 0; i < actual.size(); ++i) {
      EXPECT_TRUE(at::equal(actual[i].isnan(), expected[i].isnan())) << r << ", tensor " << i << "\n"
                                                                     << actual[i] << "\n"
                                                                     << expected[i];
    }
  });
}

/// A factor of a product of the first step, and what it is multiplied by.
struct Factor {
  at::Tensor itself;
  at::Tensor other;
  bool is_state = false;
};

/// The input, h_0 and their weights.
std::vector<Factor> factors_of(const Recurrent& r, const Arguments& arguments) {
  std::vector<Factor> factors;
  const std::size_t of_one = arguments.parameters.size() / static_cast<std::size_t>(r.directions());
  for (std::int64_t direction = 0; direction < r.directions(); ++direction) {
    const at::Tensor* weights = &arguments.parameters[of_one * static_cast<std::size_t>(direction)];
    const at::Tensor state = arguments.states[0][direction];
    factors.push_back({arguments.data, weights[0]});
    factors.push_back({weights[0], arguments.data});
    factors.push_back({state, weights[1], true});
    factors.push_back({weights[1], state});
  }
  return factors;
}

bool are_same(const Tensors& a, const Tensors& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!at::allclose(a[i], b[i], 0, 0, /*equal_nan=*/true)) return false;
  }
  return true;
}

/// A `number` among zeros, in each factor in turn, counts as if it were another in products of bfloat16, and does not
/// in those of float. It is multiplied by positive numbers of about `other`.
void expect_counts_as(const Recurrent& r, float number, float as_if, double other) {
  const std::size_t count = factors_of(r, random_arguments(r, {1, 1, 1})).size();
  for (std::size_t i = 0; i < count; ++i) {
    SCOPED_TRACE(testing::Message() << r << ", factor " << i << ", " << number << " as if " << as_if);
    const auto arguments_of = [&](float value) {
      torch::manual_seed(1);
      auto arguments = random_arguments(r, {1, 1, 1});
      const Factor factor = factors_of(r, arguments)[i];
      factor.itself.zero_().view(-1)[factor.itself.numel() / 2] = value;  // a weight of a gate that shows, in a GRU's z
      factor.other.uniform_(other, 1.2 * other);
      return arguments;
    };
    // A GRU's state is more than a factor.
    const bool is_more = r.cell == engine::Cell::gru && factors_of(r, arguments_of(0))[i].is_state;
    if (is_more && std::abs(number) > 1) continue;
    EXPECT_TRUE(are_same(run_rounded(r, arguments_of(number)), run_rounded(r, arguments_of(as_if))));
    EXPECT_FALSE(are_same(run_fused(r, arguments_of(number)), run_fused(r, arguments_of(as_if))));
  }
}

/// Of what is below 0 a unit that rectifies makes 0.
std::vector<float> signs_of(const Recurrent& r) {
  return r.cell == engine::Cell::rnn_relu ? std::vector{1.0F} : std::vector{1.0F, -1.0F};
}

TEST_P(Bfloat16Values, CountAsZeroIfDenormal) {
  in_both_ways([] {
    for (const float sign : signs_of(GetParam())) expect_counts_as(GetParam(), sign * 1e-38F, 0, 2e38);
  });
}

TEST_P(Bfloat16Values, CountAsInfiniteIfTooLarge) {
  in_both_ways([] {
    for (const float sign : signs_of(GetParam())) {
      expect_counts_as(GetParam(), sign * first_to_overflow, sign * endless, 1.2e-38);
      expect_counts_as(GetParam(), sign * std::nextafter(first_to_overflow, 0.0F), sign * largest_rounded, 1.2e-38);
    }
  });
}

}  // namespace
}  // namespace packseq::test
