#pragma once

#include <ATen/core/grad_mode.h>
#include <ATen/ops/gru.h>
#include <ATen/ops/lstm.h>
#include <ATen/ops/rnn_relu.h>
#include <ATen/ops/rnn_tanh.h>
#include <gtest/gtest.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <ostream>
#include <random>
#include <utility>
#include <vector>

#include "engine/layer.hpp"
#include "packseq/engine/install.hpp"
#include "support/gradients.hpp"
#include "support/multiply_adds.hpp"

// What the tests of the engine have in common: recurrent networks as LibTorch's operators take them.

namespace packseq::test {

inline const std::vector<engine::Cell> all_cells = {engine::Cell::lstm, engine::Cell::gru, engine::Cell::rnn_tanh,
                                                    engine::Cell::rnn_relu};

struct Recurrent {
  engine::Cell cell = engine::Cell::lstm;
  c10::ScalarType dtype = at::kDouble;
  std::int64_t layers = 1;
  bool bidirectional = false;
  bool bias = true;
  std::int64_t input_size = 3;
  std::int64_t hidden_size = 5;
  std::int64_t proj_size = 0;  ///< Of an LSTM.
  double dropout = 0;
  bool batch_first = false;  ///< Of a padded batch.

  std::int64_t directions() const { return bidirectional ? 2 : 1; }
  std::int64_t output_size() const { return proj_size > 0 ? proj_size : hidden_size; }
};

inline std::ostream& operator<<(std::ostream& stream, const Recurrent& r) {
  return stream << "cell " << static_cast<int>(r.cell) << ", " << r.dtype << ", layers " << r.layers
                << ", bidirectional " << r.bidirectional << ", bias " << r.bias << ", input_size " << r.input_size
                << ", hidden_size " << r.hidden_size << ", proj_size " << r.proj_size << ", dropout " << r.dropout
                << ", batch_first " << r.batch_first;
}

/// Every cell in each dtype, an LSTM with and without a projection, in one and two directions.
inline std::vector<Recurrent> all_recurrents() {
  std::vector<Recurrent> all;
  for (const auto cell : all_cells) {
    for (const auto dtype : {at::kFloat, at::kDouble, at::kBFloat16}) {
      for (const bool bidirectional : {false, true}) {
        all.push_back({.cell = cell, .dtype = dtype, .bidirectional = bidirectional});
        if (cell != engine::Cell::lstm) continue;
        all.push_back(all.back());
        all.back().proj_size = 2;
      }
    }
  }
  return all;
}

/// What LibTorch's operators are given.
struct Arguments {
  at::Tensor data;
  at::Tensor batch_sizes;  ///< Of a padded batch undefined.
  Tensors states;
  Tensors parameters;

  /// All tensors that can have gradients.
  Tensors all() const {
    Tensors tensors = {data};
    tensors.insert(tensors.end(), states.begin(), states.end());
    tensors.insert(tensors.end(), parameters.begin(), parameters.end());
    return tensors;
  }

  Arguments with(const std::function<at::Tensor(const at::Tensor&)>& change) const {
    Arguments changed = {change(data), batch_sizes, states, parameters};
    for (auto* list : {&changed.states, &changed.parameters}) std::ranges::transform(*list, list->begin(), change);
    return changed;
  }

  /// The same numbers in leaves that want gradients.
  Arguments as_variables() const {
    return with([](const at::Tensor& tensor) { return tensor.detach().clone().requires_grad_(); });
  }
};

/// Parameters of the scale that LibTorch starts from.
inline Tensors random_parameters(const Recurrent& r) {
  const std::int64_t blocks = r.cell == engine::Cell::lstm ? 4 : r.cell == engine::Cell::gru ? 3 : 1;
  const double scale = 1 / std::sqrt(static_cast<double>(r.hidden_size));
  Tensors parameters;
  const auto add = [&](at::IntArrayRef sizes) {
    parameters.push_back(torch::empty(sizes, r.dtype).uniform_(-scale, scale));
  };
  for (std::int64_t layer = 0; layer < r.layers; ++layer) {
    for (std::int64_t direction = 0; direction < r.directions(); ++direction) {
      add({blocks * r.hidden_size, layer == 0 ? r.input_size : r.directions() * r.output_size()});
      add({blocks * r.hidden_size, r.output_size()});
      for (int bias = 0; r.bias && bias < 2; ++bias) add({blocks * r.hidden_size});
      if (r.proj_size > 0) add({r.proj_size, r.hidden_size});
    }
  }
  return parameters;
}

inline Tensors random_states(const Recurrent& r, std::int64_t batch) {
  Tensors states = {torch::randn({r.layers * r.directions(), batch, r.output_size()}, r.dtype)};
  if (r.cell == engine::Cell::lstm) {
    states.push_back(torch::randn({r.layers * r.directions(), batch, r.hidden_size}, r.dtype));
  }
  return states;
}

/// Random numbers for a batch of sequences of these lengths, the longest first.
inline Arguments random_arguments(const Recurrent& r, const std::vector<std::int64_t>& lengths) {
  const at::Tensor reach = torch::tensor(lengths).unsqueeze(0) > torch::arange(lengths.front()).unsqueeze(1);
  const at::Tensor batch_sizes = reach.sum(1);
  return {torch::randn({batch_sizes.sum().item<std::int64_t>(), r.input_size}, r.dtype), batch_sizes,
          random_states(r, static_cast<std::int64_t>(lengths.size())), random_parameters(r)};
}

/// The same for a padded batch.
inline Arguments random_padded_arguments(const Recurrent& r, std::int64_t steps, std::int64_t documents) {
  const at::Tensor data = torch::randn({steps, documents, r.input_size}, r.dtype);
  return {
      r.batch_first ? data.transpose(0, 1).contiguous() : data, {}, random_states(r, documents), random_parameters(r)};
}

/// Of a small batch.
inline const std::vector<std::int64_t> four_lengths = {4, 3, 3, 1};

/// Random lengths, the longest first.
inline std::vector<std::int64_t> random_lengths(std::mt19937& random, std::size_t batch, std::int64_t longest) {
  std::vector<std::int64_t> lengths(batch);
  std::uniform_int_distribution<std::int64_t> length(1, longest);
  for (auto& of_one : lengths) of_one = length(random);
  std::ranges::sort(lengths, std::greater());
  return lengths;
}

/// LibTorch's operator, `.data` or `.input`: output, h_n and, of an LSTM, c_n.
inline Tensors run(const Recurrent& r, const Arguments& a) {
  torch::manual_seed(1);  // for dropout
  const auto results = [&](auto function, const auto& states) {
    return a.batch_sizes.defined() ? function(a.data, a.batch_sizes, states, a.parameters, r.bias, r.layers, r.dropout,
                                              true, r.bidirectional)
                                   : function(a.data, states, a.parameters, r.bias, r.layers, r.dropout, true,
                                              r.bidirectional, r.batch_first);
  };
  const auto run = [&](auto function) -> Tensors {
    const auto [output, h_n] = results(function, a.states[0]);
    return {output, h_n};
  };
  switch (r.cell) {
    case engine::Cell::lstm: {
      const auto [output, h_n, c_n] =
          results([](const auto&... arguments) { return at::lstm(arguments...); }, at::TensorList(a.states));
      return {output, h_n, c_n};
    }
    case engine::Cell::gru:
      return run([](const auto&... arguments) { return at::gru(arguments...); });
    case engine::Cell::rnn_tanh:
      return run([](const auto&... arguments) { return at::rnn_tanh(arguments...); });
    case engine::Cell::rnn_relu:
      return run([](const auto&... arguments) { return at::rnn_relu(arguments...); });
  }
  return {};
}

/// The same in the engine, which runs without LibTorch's matrix products.
inline Tensors run_fused(const Recurrent& r, const Arguments& arguments) {
  const engine::InstallGuard guard;
  const MultiplyAdds multiply_adds;
  auto outputs = run(r, arguments);
  EXPECT_EQ(multiply_adds.count(), 0) << r;
  return outputs;
}

/// The gradients of what came out of it, which it computes as well.
inline Tensors gradients_in_engine(const Tensors& outputs, const Arguments& arguments) {
  const MultiplyAdds multiply_adds;
  auto result = gradients(outputs, arguments.all());
  EXPECT_EQ(multiply_adds.count(), 0);
  return result;
}

/// The same in LibTorch's own code.
inline Tensors run_in_libtorch(const Recurrent& r, const Arguments& arguments) {
  const MultiplyAdds multiply_adds;
  auto outputs = run(r, arguments);
  EXPECT_GT(multiply_adds.count(), 0) << r;
  return outputs;
}

/// The same as right as LibTorch can: what is of bfloat16 is computed in double, and rounded once.
inline Tensors run_rightly(Recurrent r, const Arguments& arguments) {
  if (r.dtype != at::kBFloat16) return run_in_libtorch(r, arguments);
  r.dtype = at::kDouble;
  Tensors outputs = run_in_libtorch(r, arguments.with([](const at::Tensor& t) { return t.to(at::kDouble); }));
  for (at::Tensor& output : outputs) output = output.to(at::kBFloat16);
  return outputs;
}

/// What comes of a part of a document, from the state before: the same bits as of the whole one; but of bfloat16 the
/// state of an LSTM and of a GRU is rounded wherever it leaves the engine.
inline void expect_as_in_whole(const Recurrent& r, const at::Tensor& actual, const at::Tensor& in_whole) {
  const bool is_rounded = r.dtype == at::kBFloat16 && (r.cell == engine::Cell::lstm || r.cell == engine::Cell::gru);
  EXPECT_TRUE(is_rounded ? at::allclose(actual, in_whole, 0, tolerance_of(r.dtype)) : at::equal(actual, in_whole)) << r;
}

/// The same bits.
inline void expect_same(const Tensors& actual, const Tensors& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_EQ(actual[i].scalar_type(), expected[i].scalar_type()) << "tensor " << i;
    EXPECT_TRUE(at::equal(actual[i], expected[i])) << "tensor " << i;
  }
}

}  // namespace packseq::test
