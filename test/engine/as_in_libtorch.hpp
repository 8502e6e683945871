#pragma once

#include "engine/recurrent.hpp"

// The engine does as LibTorch's own code.

namespace packseq::test {

/// Programs rely on how tensors lie in memory, `view` for instance.
inline void expect_same_strides(const Tensors& actual, const Tensors& expected) {
  for (std::size_t i = 0; i < actual.size(); ++i)
    EXPECT_EQ(actual[i].strides(), expected[i].strides()) << "tensor " << i;
}

/// What is rounded is at most twice as far from what is right as LibTorch's, or `least`: that may happen to be right.
inline void expect_about_as_right(const Tensors& actual, const Tensors& plain, const Tensors& right, double least) {
  ASSERT_EQ(actual.size(), right.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_EQ(actual[i].scalar_type(), plain[i].scalar_type());
    if (actual[i].numel() == 0) continue;
    const auto distance = [&](const at::Tensor& from) { return (from - right[i]).abs().max().item<double>(); };
    const double largest = right[i].abs().max().item<double>();
    ASSERT_LE(distance(actual[i]), 2 * distance(plain[i]) + least * std::max(1.0, largest)) << "of tensor " << i;
  }
}

/// Outputs, states and gradients; with dropout, from the same random numbers.
inline void expect_as_in_libtorch(const Recurrent& r, const Arguments& arguments, int threads = 1) {
  SCOPED_TRACE(testing::Message() << r << ", data " << arguments.data.sizes() << ", batch_sizes "
                                  << arguments.batch_sizes);
  const auto fused = arguments.as_variables();
  const auto plain = arguments.as_variables();
  at::set_num_threads(threads);
  const auto fused_outputs = run_fused(r, fused);
  const auto fused_gradients = gradients_in_engine(fused_outputs, fused);
  at::set_num_threads(1);
  const auto plain_outputs = run_in_libtorch(r, plain);
  const auto plain_gradients = gradients(plain_outputs, plain.all());
  if (r.dtype == at::kBFloat16) {
    const auto right_outputs = run_rightly(r, plain);
    expect_about_as_right(fused_outputs, plain_outputs, right_outputs, 2e-2);
    // Where a ReLU of a number near 0 is open in one and closed in the other, all behind it differs: BFloat16Tensors
    // compares them where that cannot be.
    if (r.cell != engine::Cell::rnn_relu) {
      const double least = r.cell == engine::Cell::rnn_tanh ? 5e-2 : 2e-2;
      expect_about_as_right(fused_gradients, plain_gradients, gradients(right_outputs, plain.all()), least);
    }
  } else {
    expect_near(fused_outputs, plain_outputs, tolerance_of(r.dtype));
    expect_near(fused_gradients, plain_gradients, r.dtype == at::kDouble ? 1e-10 : 1e-4);
  }
  expect_same_strides(fused_outputs, plain_outputs);
  expect_same_strides(fused_gradients, plain_gradients);
}

/// All networks of one or two layers with inputs and hidden states of these sizes.
inline std::vector<Recurrent> with_every_option(Recurrent r, std::int64_t input_size, std::int64_t hidden_size) {
  r.input_size = input_size;
  r.hidden_size = hidden_size;
  std::vector<Recurrent> all;
  for (const std::int64_t layers : {1, 2}) {
    for (const bool bias : {false, true}) {
      if (r.proj_size >= hidden_size) continue;
      all.push_back(r);
      all.back().layers = layers;
      all.back().bias = bias;
      if (layers == 2) all.back().dropout = .5;
    }
  }
  return all;
}

}  // namespace packseq::test
