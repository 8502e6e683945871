#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "kernels/arena.hpp"
#include "kernels/passes.hpp"
#include "kernels/targets.hpp"
#include "kernels/two_directions.hpp"

// Weights are packed, or not, or were packed before: the results are the same to the last bit. So a document that comes
// step by step, for whose sake nothing is packed, comes out as in any batch.

namespace packseq::kernels {
namespace {

template <class T>
class PackedWeightsTest : public testing::Test {};
using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(PackedWeightsTest, Numbers);

struct Shape {
  Cell cell = Cell::lstm;
  std::size_t documents = 1, steps = 1, input = 1, hidden = 1, projection = 0;
  std::size_t output() const { return projection > 0 ? projection : hidden; }
};

void on_this_thread(std::size_t parts, const Work& work) { work(0, parts); }

/// A network's numbers; documents are of equal length.
template <class T>
class Network {
 public:
  explicit Network(const Shape& shape)
      : shape_(shape),
        weights_{numbers(4 * shape.hidden * shape.input), numbers(4 * shape.hidden * shape.output()),
                 numbers(shape.output() * shape.hidden)},
        biases_(numbers(4 * shape.hidden)),
        input_(numbers(shape.steps * shape.documents * shape.input)),
        output_(shape.steps * shape.documents * shape.output()),
        h_(numbers(shape.documents * shape.output())),
        c_(numbers(shape.documents * shape.hidden)) {}

  /// Some of the steps, from the state that those before left.
  void run(const Range& steps) {
    std::vector<T> h_n(h_.size());
    Forward<T> forward;
    set(forward, steps);
    forward.h_n = h_n.data();
    forward.c_n = c_.data();
    const std::vector<std::int64_t> batch_sizes(steps.size(), static_cast<std::int64_t>(shape_.documents));
    kernels::run(std::span<const Forward<T>>(&forward, 1), make_plan(batch_sizes, {}), on_this_thread);
    h_ = h_n;
  }

  /// From now on passes read packed weights.
  void pack() {
    Forward<T> forward;
    set(forward, {0, shape_.steps});
    for (const auto role : {Role::ih, Role::hh, Role::hr}) {
      T* const to = arena_.take<T>(packed_size(forward, role));
      kernels::pack(forward, role, to, 1, on_this_thread);
      packed_[static_cast<std::size_t>(role)] = to;
    }
  }

  std::vector<std::vector<T>> results() const { return {output_, h_, c_}; }

 private:
  std::vector<T> numbers(std::size_t count) {
    std::vector<T> all(count);
    std::uniform_real_distribution<T> number(T{-1}, T{1});
    for (T& one : all) one = number(random_);
    return all;
  }

  void set(Forward<T>& to, const Range& steps) {
    to.cell = shape_.cell;
    to.input_size = shape_.input;
    to.hidden_size = shape_.hidden;
    to.output_size = shape_.output();
    to.weight_ih = weights_[0].data();
    to.weight_hh = weights_[1].data();
    if (shape_.projection > 0) to.weight_hr = weights_[2].data();
    to.packed = packed_;
    to.bias_ih = to.bias_hh = biases_.data();
    to.input = input_.data() + steps.begin * shape_.documents * shape_.input;
    to.input_rows = steps.size() * shape_.documents;
    to.h_0 = h_.data();
    to.c_0 = c_.data();
    to.output = output_.data() + steps.begin * shape_.documents * shape_.output();
    to.output_stride = shape_.output();
  }

  Shape shape_;
  std::mt19937 random_;
  std::array<std::vector<T>, 3> weights_;
  std::vector<T> biases_, input_, output_, h_, c_;
  Arena arena_;
  PackedWeights<T> packed_ = {};
};

std::vector<Shape> shapes() {
  std::vector<Shape> all;
  for (const auto cell : {Cell::lstm, Cell::gru, Cell::rnn_tanh, Cell::rnn_relu}) {
    for (const std::size_t documents : {1U, 2U, 3U, 4U, 5U, 6U, 7U}) {
      for (const auto& [input, hidden] : {std::pair{0U, 2U}, {3U, 5U}, {17U, 33U}, {8U, 64U}}) {
        all.push_back({cell, documents, 7, input, hidden});
        if (cell == Cell::lstm && hidden > 4) all.push_back({cell, documents, 7, input, hidden, hidden / 2 + 1});
      }
    }
  }
  return all;
}

template <class T>
void expect_same_bits(const Shape& shape) {
  Network<T> at_once(shape);
  Network<T> by_steps(shape);
  Network<T> packed(shape);
  packed.pack();
  at_once.run({0, shape.steps});
  for (std::size_t step = 0; step < shape.steps; ++step) by_steps.run({step, step + 1});
  packed.run({0, 2});
  packed.run({2, shape.steps});
  EXPECT_EQ(by_steps.results(), at_once.results());
  EXPECT_EQ(packed.results(), at_once.results());
}

TYPED_TEST(PackedWeightsTest, GiveTheBitsOfWeightsThatAreNot) {
  ASSERT_FALSE(test::targets().empty());
  for (const std::int64_t target : test::targets()) {
    const test::TargetGuard guard(target);
    for (const Shape& shape : shapes()) {
      SCOPED_TRACE(testing::Message() << "target " << target << ", cell " << static_cast<int>(shape.cell)
                                      << ", documents " << shape.documents << ", input " << shape.input << ", hidden "
                                      << shape.hidden << ", projection " << shape.projection);
      expect_same_bits<TypeParam>(shape);
    }
  }
}

}  // namespace
}  // namespace packseq::kernels
