#pragma once

#include "engine/recurrent.hpp"

// The engine does as LibTorch's own code.

namespace packseq::test {

/// Programs rely on how tensors lie in memory, `view` for instance.
inline void expect_same_strides(const Tensors& actual, const Tensors& expected) {
  for (std::size_t i = 0; i < actual.size(); ++i)
    EXPECT_EQ(actual[i].strides(), expected[i].strides()) << "tensor " << i;
}

/// Outputs, states and gradients; with dropout, from the same random numbers.
inline void expect_as_in_libtorch(const Recurrent& r, const Arguments& arguments, int threads = 1) {
  SCOPED_TRACE(testing::Message() << r << ", data " << arguments.data.sizes() << ", batch_sizes "
                                  << arguments.batch_sizes);
  const bool is_double = r.dtype == at::kDouble;
  const auto fused = arguments.as_variables();
  const auto plain = arguments.as_variables();
  at::set_num_threads(threads);
  const auto fused_outputs = run_fused(r, fused);
  const auto fused_gradients = gradients_in_engine(fused_outputs, fused);
  at::set_num_threads(1);
  const auto plain_outputs = run_in_libtorch(r, plain);
  expect_near(fused_outputs, plain_outputs, is_double ? 1e-12 : 1e-5);
  const auto plain_gradients = gradients(plain_outputs, plain.all());
  expect_near(fused_gradients, plain_gradients, is_double ? 1e-10 : 1e-4);
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
