#include <ATen/ops/cat.h>

#include "engine/network.hpp"
#include "engine/recurrent.hpp"
#include "support/sequences.hpp"

namespace packseq::test {
namespace {

class EngineKeep : public testing::TestWithParam<Recurrent> {
 protected:
  void SetUp() override { torch::manual_seed(0); }

  static Recurrent deep(bool has_dropout = false) {
    Recurrent r = GetParam();
    r.layers = 2;
    r.dropout = has_dropout ? .5 : 0;
    return r;
  }
  static bool has_cells() { return GetParam().cell == engine::Cell::lstm; }
  static double tolerance() { return tolerance_of(GetParam().dtype); }

  /// A network that keeps all that it can; it refers to the arguments.
  static engine::Network keeping(const Recurrent& r, const Arguments& a) {
    engine::Network network = {r.cell, a.data,   a.batch_sizes, a.states,       a.parameters,
                               r.bias, r.layers, r.dropout,     /*train=*/true, r.bidirectional};
    network.keeps_cells = has_cells();
    network.keeps_lower_layers = true;
    return network;
  }
};
INSTANTIATE_TEST_SUITE_P(Networks, EngineKeep, testing::ValuesIn(all_recurrents()));

Tensors kept(const engine::NetworkResult& result) {
  Tensors all;
  for (const auto& [h, c] : result.layers) {
    all.push_back(h);
    if (c.defined()) all.push_back(c);
  }
  return all;
}

Tensors all_results(const engine::NetworkResult& result) {
  Tensors all = kept(result);
  all.insert(all.end(), {result.output, result.h_n});
  if (result.c_n.defined()) all.push_back(result.c_n);
  return all;
}

Tensors in_engine(const engine::Network& network) {
  torch::manual_seed(1);  // for dropout
  const MultiplyAdds multiply_adds;
  auto all = all_results(engine::run_network(network));
  EXPECT_EQ(multiply_adds.count(), 0);
  return all;
}

Tensors in_libtorch(const engine::Network& network) {
  torch::manual_seed(1);
  return all_results(engine::run_network_in_libtorch(network));
}

/// What is expected, from LibTorch's operators over one document and layer: the states in which the forward direction
/// leaves the first tokens, and the reverse one the last, however many they are. `of_layer.data` is [L, 1, *].
Tensors states_of_document(const Recurrent& of_one_layer, const Arguments& of_layer) {
  const std::int64_t length = of_layer.data.size(0);
  std::vector<Tensors> of_tokens(of_layer.states.size());
  for (std::int64_t token = 0; token < length; ++token) {
    Arguments part = of_layer;
    part.data = of_layer.data.narrow(0, 0, token + 1);
    const Tensors after_first = run(of_one_layer, part);
    part.data = of_layer.data.narrow(0, token, length - token);
    const Tensors after_last = run(of_one_layer, part);
    for (std::size_t i = 0; i < of_tokens.size(); ++i) {
      at::Tensor state = after_first[i + 1][0];
      if (of_one_layer.bidirectional) state = at::cat({state, after_last[i + 1][1]}, 1);
      of_tokens[i].push_back(state);
    }
  }
  Tensors states;
  for (const Tensors& all : of_tokens) states.push_back(torch::stack(all));
  return states;
}

/// Documents [L, 1, *], the longest first, as rows of a packed batch.
at::Tensor as_packed(const Tensors& documents) {
  Tensors rows;
  for (std::int64_t step = 0; step < documents.front().size(0); ++step) {
    for (const at::Tensor& document : documents) {
      if (step < document.size(0)) rows.push_back(document[step]);
    }
  }
  return at::cat(rows);
}

std::vector<Tensors> as_documents(const at::Tensor& data, const std::vector<std::int64_t>& lengths) {
  std::vector<Tensors> documents(lengths.size());
  std::int64_t row = 0;
  for (std::int64_t step = 0; step < lengths.front(); ++step) {
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      if (step < lengths[i]) documents[i].push_back(data.narrow(0, row++, 1));
    }
  }
  return documents;
}

/// h and, of an LSTM, c of every layer.
Tensors states_of_every_token(const Recurrent& r, const Arguments& a, const std::vector<std::int64_t>& lengths) {
  Recurrent one_layer = r;
  one_layer.layers = 1;
  Tensors inputs;
  for (const Tensors& rows : as_documents(a.data, lengths)) inputs.push_back(torch::stack(rows));
  const std::size_t per_layer = a.parameters.size() / static_cast<std::size_t>(r.layers);
  Tensors all;
  for (std::int64_t layer = 0; layer < r.layers; ++layer) {
    std::vector<Tensors> states(a.states.size());
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      Arguments of_layer = {inputs[i], {}, {}, {}};
      for (const at::Tensor& state : a.states) {
        of_layer.states.push_back(
            state.narrow(0, layer * r.directions(), r.directions()).narrow(1, static_cast<std::int64_t>(i), 1));
      }
      of_layer.parameters =
          at::TensorList(a.parameters).slice(static_cast<std::size_t>(layer) * per_layer, per_layer).vec();
      const Tensors of_document = states_of_document(one_layer, of_layer);
      for (std::size_t s = 0; s < states.size(); ++s) states[s].push_back(of_document[s]);
    }
    inputs = states[0];
    for (const Tensors& of_documents : states) all.push_back(as_packed(of_documents));
  }
  return all;
}

TEST_P(EngineKeep, HandsOutTheStatesOfEveryToken) {
  const Recurrent r = deep();
  const auto arguments = random_arguments(r, four_lengths).as_variables();
  const auto expected = states_of_every_token(r, arguments, four_lengths);
  const auto expected_gradients = gradients(expected, arguments.all());
  for (const auto& run_network : {engine::run_network, engine::run_network_in_libtorch}) {
    const auto actual = kept(run_network(keeping(r, arguments)));
    expect_near(actual, expected, tolerance());
    expect_near(gradients(actual, arguments.all()), expected_gradients, 10 * tolerance());
  }
}

TEST_P(EngineKeep, DoesAsLibTorchWithDropoutToo) {
  const Recurrent r = deep(/*has_dropout=*/true);
  const auto arguments = random_arguments(r, four_lengths).as_variables();
  const auto actual = in_engine(keeping(r, arguments));
  const auto expected = in_libtorch(keeping(r, arguments));
  expect_near(actual, expected, tolerance());
  expect_near(gradients_in_engine(actual, arguments), gradients(expected, arguments.all()), 10 * tolerance());
}

TEST_P(EngineKeep, HasSecondGradientsAsLibTorch) {
  if (GetParam().dtype != at::kDouble) return;
  const Recurrent r = deep(/*has_dropout=*/true);
  const auto arguments = random_arguments(r, four_lengths).as_variables();
  expect_near(second_gradients(in_engine(keeping(r, arguments)), arguments.all()),
              second_gradients(in_libtorch(keeping(r, arguments)), arguments.all()), 1e-10);
}

/// Where one of the states alone is used, LibTorch has no gradients of the others.
TEST_P(EngineKeep, HasGradientsOfEachStateAlone) {
  const Recurrent r = deep();
  const auto arguments = random_arguments(r, four_lengths).as_variables();
  const auto fused = in_engine(keeping(r, arguments));
  const auto plain = in_libtorch(keeping(r, arguments));
  for (std::size_t i = 0; i < fused.size(); ++i) {
    const auto inputs = arguments.all();
    const auto actual = torch::autograd::grad({weighted_sum({fused[i]})}, inputs, {}, true, false, true);
    const auto expected = torch::autograd::grad({weighted_sum({plain[i]})}, inputs, {}, true, false, true);
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      const auto or_zeros = [&](const at::Tensor& t) { return t.defined() ? t : torch::zeros_like(inputs[k]); };
      expect_near({or_zeros(actual[k])}, {or_zeros(expected[k])}, 10 * tolerance());
    }
  }
}

/// Many documents and steps, which the backward pass takes in parts, and threads that share steps of few documents.
TEST_P(EngineKeep, HoldsForManyTokensAndThreads) {
  Recurrent r = deep();
  std::mt19937 random(0);
  for (const bool is_wide : {false, true}) {
    r.hidden_size = is_wide ? 300 : 17;
    r.proj_size = r.proj_size > 0 ? 11 : 0;
    const auto lengths = random_lengths(random, is_wide ? 2 : 60, is_wide ? 8 : 50);
    const auto arguments = random_arguments(r, lengths).as_variables();
    at::set_num_threads(1);
    const auto expected = in_libtorch(keeping(r, arguments));
    const auto expected_gradients = gradients(expected, arguments.all());
    for (const int threads : {1, 3}) {
      at::set_num_threads(threads);
      const auto actual = in_engine(keeping(r, arguments));
      expect_near(actual, expected, 10 * tolerance());
      expect_near(gradients_in_engine(actual, arguments), expected_gradients, 100 * tolerance());
    }
    at::set_num_threads(1);
  }
}

TEST_P(EngineKeep, ChangesNothingElse) {
  const Recurrent r = deep(/*has_dropout=*/true);
  const auto arguments = random_arguments(r, four_lengths).as_variables();
  engine::Network network = keeping(r, arguments);
  const auto in_training = in_engine(network);
  const auto inference = [&] {
    const torch::NoGradGuard no_grad;
    return in_engine(network);
  };
  const auto in_inference = inference();
  for (std::size_t i = 0; i < in_training.size(); ++i) EXPECT_SAME(in_inference[i], in_training[i]);
  network.keeps_cells = network.keeps_lower_layers = false;
  const auto plain = inference();
  for (std::size_t i = 0; i < plain.size(); ++i) {
    EXPECT_SAME(in_training[in_training.size() - plain.size() + i], plain[i]);
  }
}

TEST_P(EngineKeep, IsRightWhereProgramsChangeStatesInPlace) {
  Recurrent r = GetParam();
  if (r.dtype != at::kDouble) return;
  const auto arguments = random_arguments(r, four_lengths).as_variables();
  const auto changed = [&](const engine::NetworkResult& result) {
    auto all = kept(result);
    all.back().mul_(2).clamp_(-.5, .5);
    return all;
  };
  expect_near(gradients(changed(engine::run_network(keeping(r, arguments))), arguments.all()),
              gradients(changed(engine::run_network_in_libtorch(keeping(r, arguments))), arguments.all()), 1e-10);
}

}  // namespace
}  // namespace packseq::test
