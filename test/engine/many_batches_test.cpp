// What holds for every batch, tried on many small random ones: the engine does as LibTorch, freezing changes no bit,
// and products of bfloat16 are those of rounded factors.

#include <ATen/ops/linear.h>

#include <functional>
#include <limits>
#include <vector>

#include "engine/as_in_libtorch.hpp"
#include "packseq/engine/freeze.hpp"
#include "support/batches.hpp"
#include "support/precision.hpp"
#include "support/sequences.hpp"

namespace packseq::test {
namespace {

Recurrent random_recurrent(Choices& choices) {
  Recurrent r{.cell = choices.one_of(all_cells),
              .dtype = choices.once_in(2) ? at::kFloat : at::kDouble,
              .layers = choices.once_in(3) ? 2 : 1,
              .bidirectional = choices.once_in(3),
              .bias = choices.once_in(2),
              .input_size = choices.between(1, 9),
              .hidden_size = choices.once_in(8) ? choices.between(16, 40) : choices.between(1, 9),
              .batch_first = choices.once_in(2)};
  if (r.cell == engine::Cell::lstm && r.hidden_size > 1 && choices.once_in(3)) {
    r.proj_size = choices.between(1, r.hidden_size - 1);
  }
  if (r.layers == 2 && choices.once_in(2)) r.dropout = .5;
  return r;
}

Arguments random_batch(Choices& choices, const Recurrent& r, bool is_padded) {
  const std::int64_t steps = choices.between(1, 6);
  const std::int64_t documents = choices.between(1, 6);
  if (is_padded) return random_padded_arguments(r, steps, documents);
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(documents));
  for (std::int64_t& length : lengths) length = choices.between(1, steps);
  std::ranges::sort(lengths, std::greater());
  return random_arguments(r, lengths);
}

void seed_everything(std::int64_t number) { torch::manual_seed(static_cast<std::uint64_t>(number)); }

void expect_same_bits(const Tensors& actual, const Tensors& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) ASSERT_TRUE(at::equal(actual[i], expected[i])) << "tensor " << i;
}

TEST(EngineInManyBatches, RunsThePaddedOperatorsAsLibTorch) {
  for_many_batches(1'000, [](std::int64_t number) {
    seed_everything(number);
    Choices choices(number);
    const Recurrent r = random_recurrent(choices);
    expect_as_in_libtorch(r, random_batch(choices, r, /*is_padded=*/true));
  });
}

/// Also where one of the weights changes, and freezing ends with that.
void expect_freezing_changes_no_bit(Choices& choices, const Recurrent& r, const Arguments& arguments) {
  const engine::InstallGuard guard;
  const auto expected = run(r, arguments);
  engine::freeze(arguments.parameters);
  for (int pass = 0; pass < 2; ++pass) expect_same_bits(run(r, arguments), expected);
  EXPECT_TRUE(engine::frozen(arguments.parameters));
  const at::Tensor changed = choices.one_of(arguments.parameters);
  changed.mul_(-1);
  const auto after = run(r, arguments);
  EXPECT_FALSE(engine::frozen({changed}));
  expect_same_bits(after, run(r, arguments.with([](const at::Tensor& tensor) { return tensor.clone(); })));
  if (choices.once_in(2)) engine::unfreeze(arguments.parameters);  // else the next ones find what is gone
}

TEST(EngineInManyBatches, ChangesNoBitWhereWeightsAreFrozen) {
  const at::NoGradGuard no_grad;
  for_many_batches(1'000, [](std::int64_t number) {
    seed_everything(number);
    Choices choices(number);
    const Recurrent r = random_recurrent(choices);
    SCOPED_TRACE(testing::Message() << r);
    const auto arguments = random_batch(choices, r, choices.once_in(2));
    const SwitchGuard rounded(choices.once_in(2) ? at::Float32Precision::BF16 : at::Float32Precision::NONE);
    expect_freezing_changes_no_bit(choices, r, arguments);
  });
}

// Networks of rounded factors, written down step by step.

at::Tensor product(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias = {}) {
  const auto rounded = [](const at::Tensor& tensor) { return tensor.to(at::kBFloat16).to(at::kFloat); };
  return at::linear(rounded(input), rounded(weight), bias);
}

/// What one layer's direction has.
struct Weights {
  at::Tensor ih, hh, bias_ih, bias_hh, hr;

  Weights(const Recurrent& r, const at::Tensor* first) : ih(first[0]), hh(first[1]) {
    first += 2;
    if (r.bias) {
      bias_ih = first[0];
      bias_hh = first[1];
      first += 2;
    }
    if (r.proj_size > 0) hr = first[0];
  }
};

/// From the states of some documents to their next ones.
void step(const Recurrent& r, const Weights& weights, const at::Tensor& input, at::Tensor& h, at::Tensor& c) {
  const auto from_input = product(input, weights.ih, weights.bias_ih);
  const auto from_state = product(h, weights.hh, weights.bias_hh);
  switch (r.cell) {
    case engine::Cell::lstm: {
      const auto gates = (from_input + from_state).chunk(4, 1);
      c = gates[1].sigmoid() * c + gates[0].sigmoid() * gates[2].tanh();
      h = gates[3].sigmoid() * c.tanh();
      if (r.proj_size > 0) h = product(h, weights.hr);
      return;
    }
    case engine::Cell::gru: {
      const auto x = from_input.chunk(3, 1);
      const auto s = from_state.chunk(3, 1);
      const at::Tensor z = (x[1] + s[1]).sigmoid();
      const at::Tensor n = (x[2] + (x[0] + s[0]).sigmoid() * s[2]).tanh();
      h = n + z * (h - n);
      return;
    }
    case engine::Cell::rnn_tanh:
      h = (from_input + from_state).tanh();
      return;
    case engine::Cell::rnn_relu:
      h = (from_input + from_state).relu();
      return;
  }
}

/// One direction of a layer over a padded batch, time first; its states become the last ones.
at::Tensor run_direction(const Recurrent& r, const Weights& weights, const at::Tensor& input, bool is_backward,
                         at::Tensor& h, at::Tensor& c) {
  Tensors outputs(static_cast<std::size_t>(input.size(0)));
  for (std::int64_t i = 0; i < input.size(0); ++i) {
    const std::int64_t time = is_backward ? input.size(0) - 1 - i : i;
    step(r, weights, input[time], h, c);
    outputs[static_cast<std::size_t>(time)] = h;
  }
  return at::stack(outputs);
}

/// Output, h_n and, of an LSTM, c_n of a padded batch.
Tensors run_step_by_step(const Recurrent& r, const Arguments& arguments) {
  at::Tensor data = r.batch_first ? arguments.data.transpose(0, 1) : arguments.data;
  const std::size_t of_one = arguments.parameters.size() / static_cast<std::size_t>(r.layers * r.directions());
  std::vector<Tensors> last(arguments.states.size());
  for (std::int64_t layer = 0; layer < r.layers; ++layer) {
    Tensors outputs;
    for (std::int64_t direction = 0; direction < r.directions(); ++direction) {
      const std::int64_t place = layer * r.directions() + direction;
      const Weights weights(r, &arguments.parameters[of_one * static_cast<std::size_t>(place)]);
      Tensors states;
      for (const at::Tensor& state : arguments.states) states.push_back(state[place]);
      states.resize(2);
      outputs.push_back(run_direction(r, weights, data, direction == 1, states[0], states[1]));
      for (std::size_t i = 0; i < last.size(); ++i) last[i].push_back(states[i]);
    }
    data = at::cat(outputs, 2);
  }
  Tensors results = {r.batch_first ? data.transpose(0, 1) : data};
  for (const Tensors& states : last) results.push_back(at::stack(states));
  return results;
}

double largest_difference(const Tensors& actual, const Tensors& expected) {
  double largest = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (actual[i].sizes() != expected[i].sizes()) return std::numeric_limits<double>::infinity();
    const double difference = (actual[i] - expected[i]).abs().max().item<double>();
    if (std::isnan(difference)) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, difference);
  }
  return largest;
}

/// Which way a number goes that is in the middle of two is for the last bit to say: few batches have one that differs.
TEST(EngineInManyBatches, RoundsFactorsToBfloat16AndNothingElse) {
  const at::NoGradGuard no_grad;
  const SwitchGuard guard(at::Float32Precision::BF16);
  std::int64_t between_two = 0;
  const std::int64_t batches = number_of_batches(1'000);
  for_many_batches(batches, [&](std::int64_t number) {
    seed_everything(number);
    Choices choices(number);
    Recurrent r = random_recurrent(choices);
    r.dtype = at::kFloat;
    r.dropout = 0;
    SCOPED_TRACE(testing::Message() << r);
    const auto arguments = random_batch(choices, r, /*is_padded=*/true);
    const InstructionsOff switched(choices.once_in(2));
    const double difference = largest_difference(run_fused(r, arguments), run_step_by_step(r, arguments));
    EXPECT_LT(difference, 0.02);
    between_two += difference > 1e-5;
  });
  EXPECT_LE(between_two, batches / 50 + 1);
}

}  // namespace
}  // namespace packseq::test
