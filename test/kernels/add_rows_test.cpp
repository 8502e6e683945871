#include "kernels/add_rows.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "kernels/threads.hpp"
#include "kernels/two_directions.hpp"
#include "targets.hpp"

namespace packseq::kernels {
namespace {

/// Rows, as many as two threads are needed for where they are wide, and which of them belong together.
template <class T>
struct RowsToAdd {
  explicit RowsToAdd(std::size_t of_width) : width(of_width) {
    std::mt19937 random(0);
    std::normal_distribution<float> number;
    std::uniform_int_distribution<std::int32_t> sum(1, sums - 1);  // nothing goes to the first one
    for (std::size_t i = 0; i < 2500; ++i) index.push_back(sum(random));
    for (std::size_t i = 0; i < index.size() * width; ++i) numbers.push_back(held<T>(number(random)));
  }

  /// One row after the other, on top of what is there.
  std::vector<Computed<T>> expected() const {
    std::vector<Computed<T>> to(sums * width, 7);
    for (std::size_t i = 0; i < index.size(); ++i) {
      for (std::size_t k = 0; k < width; ++k) {
        to[static_cast<std::size_t>(index[i]) * width + k] += computed(numbers[i * width + k]);
      }
    }
    return to;
  }

  std::vector<Computed<T>> added(std::size_t threads, const Executor& executor) const {
    std::vector<Computed<T>> to(sums * width, 7);
    add_rows(numbers.data(), width, index, to.data(), threads, executor);
    return to;
  }

  static constexpr std::size_t sums = 40;
  std::size_t width;
  std::vector<std::int32_t> index;
  std::vector<T> numbers;
};

template <class T>
class AddRows : public testing::Test {};
using Types = testing::Types<float, double, BFloat16>;
TYPED_TEST_SUITE(AddRows, Types);

TYPED_TEST(AddRows, AddsInTheirOrderWhateverTheTargetAndTheThreads) {
  for (const auto target : test::targets()) {
    const test::TargetGuard guard(target);
    for (const std::size_t width : {1U, 3U, 16U, 77U, 160U}) {
      const RowsToAdd<TypeParam> rows(width);
      for (const std::size_t threads : {1U, 2U, 5U}) EXPECT_EQ(rows.added(threads, on_threads), rows.expected());
    }
  }
}

TYPED_TEST(AddRows, TakesAsManyThreadsAsAreWorthIt) {
  std::vector<std::size_t> parts;
  const Executor executor = [&](std::size_t count, const Work& work) {
    parts.push_back(count);
    work(0, count);
  };
  for (const std::size_t width : {1U, 33U, 64U, 160U}) RowsToAdd<TypeParam>(width).added(4, executor);
  EXPECT_EQ(parts, (std::vector<std::size_t>{1, 1, 2, 4}));
}

}  // namespace
}  // namespace packseq::kernels
