#pragma once

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include <algorithm>
#include <vector>

namespace packseq::test {

using Tensors = std::vector<at::Tensor>;

/// A sum of all elements of all `outputs`, each with a weight of its own. The weights are made in double: of bfloat16,
/// what LibTorch's `arange` gives depends on the number of threads.
inline at::Tensor weighted_sum(const Tensors& outputs) {
  at::Tensor sum = torch::zeros({}, outputs[0].options());
  for (const auto& output : outputs) {
    const at::Tensor numbers = torch::arange(output.numel(), output.options().dtype(at::kDouble));
    sum = sum + (output * numbers.cos().view(output.sizes()).to(output.scalar_type())).sum();
  }
  return sum;
}

/// The gradient of every tensor in `inputs` of a weighted sum of all `outputs`.
inline Tensors gradients(const Tensors& outputs, const Tensors& inputs, bool create_graph = false) {
  return torch::autograd::grad({weighted_sum(outputs)}, inputs, {}, std::nullopt, create_graph);
}

/// The gradients of all inputs of a sum of the gradients of all inputs.
inline Tensors second_gradients(const Tensors& outputs, const Tensors& inputs) {
  return gradients(gradients(outputs, inputs, /*create_graph=*/true), inputs);
}

/// How far results may be off those of LibTorch, whose own of bfloat16 are off as far.
inline double tolerance_of(c10::ScalarType dtype) {
  return dtype == at::kDouble ? 1e-12 : dtype == at::kFloat ? 1e-5 : 2e-2;
}

/// No element differs from the expected one by more than `bound` times the largest of 1 and the expected ones.
inline void expect_near(const Tensors& actual, const Tensors& expected, double bound) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_EQ(actual[i].sizes(), expected[i].sizes()) << i;
    ASSERT_EQ(actual[i].scalar_type(), expected[i].scalar_type()) << i;
    if (actual[i].numel() == 0) continue;
    const double largest = expected[i].abs().max().item<double>();
    const double difference = (actual[i] - expected[i]).abs().max().item<double>();
    ASSERT_LE(difference, bound * std::max(1.0, largest)) << "of tensor " << i;
  }
}

}  // namespace packseq::test
