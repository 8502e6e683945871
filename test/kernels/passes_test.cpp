#include "kernels/passes.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <vector>

#include "kernels/formulas.hpp"
#include "kernels/targets.hpp"
#include "kernels/two_directions.hpp"

// The passes compute what the formulas say and its derivatives, on each CPU target that this machine has. The engine's
// tests compare with LibTorch; these run where there is no LibTorch, in an emulator.

namespace packseq::kernels {
namespace {

const Sizes small = {.input = 5, .hidden = 21, .projection = 9};

void for_all(const std::function<void(const Case&)>& expect) {
  ASSERT_FALSE(test::targets().empty());
  for (const std::int64_t target : test::targets()) {
    const test::TargetGuard guard(target);
    for (const Case& of : all_cases()) {
      SCOPED_TRACE(testing::Message() << "target " << target << ", " << of);
      expect(of);
    }
  }
}

template <class T>
void expect_near(const std::vector<T>& actual, const Numbers& expected, double tolerance, const char* what) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(static_cast<double>(actual[i]), expected[i], tolerance) << what << '[' << i << ']';
  }
}

template <class T>
void expect_formulas(const Case& of, double tolerance) {
  TwoDirections<double> layer(of, small);
  TwoDirections<T> computed(of, small);
  computed.run_on(2);
  for (const std::size_t d : {0U, 1U}) {
    const Results expected = Formulas(of, small, layer[d]).run(d == 1);
    expect_near(computed[d].output, expected.output, tolerance, "output");
    expect_near(computed[d].h_n, expected.h_n, tolerance, "h_n");
    if (of.cell == Cell::lstm) expect_near(computed[d].c_n, expected.c_n, tolerance, "c_n");
    if (of.cell == Cell::lstm && of.keeps) expect_near(computed[d].cells, expected.cells, tolerance, "cells");
  }
}

TEST(Passes, ComputeTheFormulas) {
  for_all([](const Case& of) {
    expect_formulas<float>(of, 1e-6);
    expect_formulas<double>(of, 1e-14);
  });
}

TEST(Passes, ComeToTheSameWithRowsThatAreProjectedAhead) {
  for_all([](const Case& of) {
    if (!of.indexed || of.keeps) return;
    TwoDirections<float> layer(of, small);
    layer.run_on(2);
    for (const std::size_t known : {1U, 20U, 31U}) {
      TwoDirections<float> computed(of, small);
      computed.know(known);
      computed.run_on(2);
      for (const std::size_t d : {0U, 1U}) EXPECT_EQ(computed[d].output, layer[d].output);
    }
  });
}

TEST(Passes, ComeToTheSameWhereverInputsLie) {
  for_all([](const Case& of) {
    if (of.indexed || of.keeps) return;
    TwoDirections<float> layer(of, small);
    TwoDirections<float> scattered(of, small);
    scattered.scatter();
    layer.run_on(2);
    scattered.run_on(2);
    EXPECT_EQ(scattered.results(), layer.results());
  });
}

/// Pointers to a layer's numbers and to their gradients.
template <class T>
std::vector<std::vector<T> Tensors<T>::*> variables(const Case& of) {
  using M = Tensors<T>;
  std::vector<std::vector<T> M::*> all = {&M::input, &M::h_0, &M::weight_ih, &M::weight_hh};
  if (of.cell == Cell::lstm) all.push_back(&M::c_0);
  if (of.has_biases) all.insert(all.end(), {&M::bias_ih, &M::bias_hh});
  if (of.has_projection) all.push_back(&M::weight_hr);
  return all;
}
template <class T>
std::vector<std::vector<T> Tensors<T>::*> gradients(const Case& of) {
  using M = Tensors<T>;
  std::vector<std::vector<T> M::*> all = {&M::d_input, &M::d_h, &M::d_weight_ih, &M::d_weight_hh};
  if (of.cell == Cell::lstm) all.push_back(&M::d_c);
  if (of.has_biases) all.insert(all.end(), {&M::d_bias_ih, &M::d_bias_hh});
  if (of.has_projection) all.push_back(&M::d_weight_hr);
  return all;
}

template <class T>
double dot(const std::vector<T>& a, const Numbers& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// Whose gradients those that a backward pass is given are.
double loss(const Case& of, const Tensors<double>& tensors, bool reverse) {
  const Results results = Formulas(of, small, tensors).run(reverse);
  const double of_cells =
      of.cell == Cell::lstm ? dot(results.c_n, tensors.d_c) + dot(results.cells, tensors.d_cells) : 0;
  return dot(results.output, tensors.d_output) + dot(results.h_n, tensors.d_h) + of_cells;
}

/// The derivative of the loss along a direction in the space of one variable, by central differences.
double derivative(const Case& of, const Tensors<double>& tensors, bool reverse, Numbers Tensors<double>::*variable,
                  const Numbers& along) {
  constexpr double step = 1e-6;
  const auto loss_at = [&](double distance) {
    Tensors<double> moved = tensors;
    for (std::size_t i = 0; i < along.size(); ++i) (moved.*variable)[i] += distance * along[i];
    return loss(of, moved, reverse);
  };
  return (loss_at(step) - loss_at(-step)) / (2 * step);
}

TEST(Passes, GoBackByTheDerivatives) {
  for_all([](const Case& of) {
    if (!of.keeps) return;
    TwoDirections<double> layer(of, small);
    TwoDirections<double> computed(of, small);
    TwoDirections<float> in_float(of, small);
    computed.run_on(2);
    in_float.run_on(2);
    for (const std::size_t d : {0U, 1U}) {
      const auto variables_of_layer = variables<double>(of);
      for (std::size_t i = 0; i < variables_of_layer.size(); ++i) {
        const Numbers along = layer[d].numbers<double>((layer[d].*variables_of_layer[i]).size());
        const double expected = derivative(of, layer[d], d == 1, variables_of_layer[i], along);
        EXPECT_NEAR(dot(computed[d].*gradients<double>(of)[i], along), expected, 1e-7) << "variable " << i;
        EXPECT_NEAR(dot(in_float[d].*gradients<float>(of)[i], along), expected, 1e-4) << "variable " << i;
      }
    }
  });
}

}  // namespace
}  // namespace packseq::kernels
