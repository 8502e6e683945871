#include "kernels/softmax.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "targets.hpp"

namespace packseq::kernels {
namespace {

/// Sizes for which some blocks of columns are whole and others cut: by the end of a document, or of the batch.
struct Shape {
  std::vector<std::int64_t> batch_sizes;
  std::size_t elements;
};
const std::vector<Shape> shapes = {{{1}, 1},
                                   {{3, 2, 2, 1}, 1},
                                   {{3, 2, 2, 1}, 5},
                                   {{40, 39, 7, 1}, 7},
                                   {{4, 4, 2, 1}, 128},
                                   {{300, 200, 131, 128, 5}, 1},
                                   {{2, 1, 1, 1}, 300}};

std::size_t size_of(const Columns& columns) { return columns.begins.back() + columns.widths.back(); }

template <class T>
std::vector<T> random_numbers(std::size_t count, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<T> numbers(count);
  std::normal_distribution<T> normal(0, 3);
  for (T& number : numbers) number = normal(random);
  return numbers;
}

/// Calls `body(places)` with where a column's numbers are, for every column.
void for_columns(const Columns& columns, const std::function<void(const std::vector<std::size_t>&)>& body) {
  for (std::size_t column = 0; column < columns.widths.front(); ++column) {
    std::vector<std::size_t> places;
    for (std::size_t step = 0; step < columns.widths.size() && columns.widths[step] > column; ++step) {
      places.push_back(columns.begins[step] + column);
    }
    body(places);
  }
}

template <class T>
std::vector<double> expected_softmax(const Columns& columns, const std::vector<T>& input) {
  std::vector<double> output(input.size());
  for_columns(columns, [&](const auto& places) {
    double largest = -std::numeric_limits<double>::infinity();
    double sum = 0;
    for (const auto at : places) largest = std::max(largest, static_cast<double>(input[at]));
    for (const auto at : places) sum += output[at] = std::exp(static_cast<double>(input[at]) - largest);
    for (const auto at : places) output[at] /= sum;
  });
  return output;
}

template <class T>
std::vector<double> expected_gradient(const Columns& columns, const std::vector<T>& output,
                                      const std::vector<T>& gradient) {
  std::vector<double> result(output.size());
  for_columns(columns, [&](const auto& places) {
    double sum = 0;
    for (const auto at : places) sum += static_cast<double>(output[at]) * static_cast<double>(gradient[at]);
    for (const auto at : places) {
      result[at] = static_cast<double>(output[at]) * (static_cast<double>(gradient[at]) - sum);
    }
  });
  return result;
}

/// What so many parts, one after the other, make of the batch; numbers that no part writes are -1.
template <class T>
std::vector<T> softmax_in_parts(const Columns& columns, const std::vector<T>& input, std::size_t parts) {
  std::vector<T> output(input.size(), T{-1});
  for (std::size_t part = 0; part < parts; ++part) softmax(columns, input.data(), output.data(), {part, parts});
  return output;
}

template <class T>
std::vector<T> gradient_in_parts(const Columns& columns, const std::vector<T>& output, const std::vector<T>& gradient,
                                 std::size_t parts) {
  std::vector<T> result(output.size(), T{-1});
  for (std::size_t part = 0; part < parts; ++part) {
    softmax_gradient(columns, output.data(), gradient.data(), result.data(), {part, parts});
  }
  return result;
}

/// No number differs from the expected one by more than some ulps of it, and of `also`.
template <class T>
void expect_near(const std::vector<T>& actual, const std::vector<double>& expected, double also) {
  const double bound = 60 * static_cast<double>(std::numeric_limits<T>::epsilon());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(static_cast<double>(actual[i]), expected[i], bound * (std::abs(expected[i]) + also)) << "at " << i;
  }
}

template <class T>
class SoftmaxKernels : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(SoftmaxKernels, Types);

TYPED_TEST(SoftmaxKernels, DoAsTheFormulaSaysWhateverTheTargetAndTheParts) {
  for (const auto target : test::targets()) {
    const test::TargetGuard guard(target);
    for (const Shape& shape : shapes) {
      const Columns columns = make_columns(shape.batch_sizes, shape.elements);
      const auto input = random_numbers<TypeParam>(size_of(columns), 1);
      const auto gradient = random_numbers<TypeParam>(size_of(columns), 2);
      const auto output = softmax_in_parts(columns, input, 1);
      expect_near(output, expected_softmax(columns, input), 0);
      const auto input_gradient = gradient_in_parts(columns, output, gradient, 1);
      expect_near(input_gradient, expected_gradient(columns, output, gradient), 0.2);
      for (const std::size_t parts : {2U, 7U}) {
        EXPECT_EQ(softmax_in_parts(columns, input, parts), output);
        EXPECT_EQ(gradient_in_parts(columns, output, gradient, parts), input_gradient);
      }
    }
  }
}

TYPED_TEST(SoftmaxKernels, KeepDocumentsApartToTheBit) {
  for (const auto target : test::targets()) {
    const test::TargetGuard guard(target);
    for (const Shape& shape : shapes) {
      const Columns columns = make_columns(shape.batch_sizes, shape.elements);
      const auto input = random_numbers<TypeParam>(size_of(columns), 3);
      const auto output = softmax_in_parts(columns, input, 1);
      for_columns(columns, [&](const auto& places) {
        const Columns alone = make_columns(std::vector<std::int64_t>(places.size(), 1), 1);
        std::vector<TypeParam> column;
        for (const auto at : places) column.push_back(input[at]);
        const auto expected = softmax_in_parts(alone, column, 1);
        for (std::size_t step = 0; step < places.size(); ++step) ASSERT_EQ(output[places[step]], expected[step]);
      });
    }
  }
}

TYPED_TEST(SoftmaxKernels, TakeNumbersOfAnySize) {
  using Numbers = std::vector<TypeParam>;
  constexpr TypeParam infinity = std::numeric_limits<TypeParam>::infinity();
  constexpr TypeParam nan = std::numeric_limits<TypeParam>::quiet_NaN();
  constexpr TypeParam huge = std::numeric_limits<TypeParam>::max();
  const std::vector<std::pair<Numbers, Numbers>> cases = {
      {{huge, huge}, {0.5, 0.5}},  {{-huge, -huge}, {0.5, 0.5}}, {{-huge, huge}, {0, 1}},
      {{0, -2000}, {1, 0}},        {{-infinity, 5}, {0, 1}},     {{-infinity, -infinity}, {nan, nan}},
      {{infinity, 5}, {nan, nan}}, {{5, nan}, {nan, nan}},       {{nan, 5}, {nan, nan}}};
  for (const auto target : test::targets()) {
    const test::TargetGuard guard(target);
    for (const std::size_t elements : {std::size_t{1}, std::size_t{130}}) {  // in part of a vector, and in whole ones
      const Columns columns = make_columns(std::vector<std::int64_t>{1, 1}, elements);
      for (const auto& [column, expected] : cases) {
        Numbers input(elements, column[0]);
        input.insert(input.end(), elements, column[1]);
        const auto output = softmax_in_parts(columns, input, 1);
        for (std::size_t i = 0; i < output.size(); ++i) {
          const TypeParam number = expected[i / elements];
          ASSERT_TRUE(std::isnan(number) ? std::isnan(output[i]) : std::abs(output[i] - number) < 1e-6)
              << output[i] << " at " << i << " for " << column[0] << ' ' << column[1];
        }
      }
    }
  }
}

}  // namespace
}  // namespace packseq::kernels
