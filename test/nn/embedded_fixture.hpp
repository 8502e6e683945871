#pragma once

#include <ATen/Parallel.h>

#include <type_traits>
#include <vector>

#include "packseq/nn/embedded.hpp"
#include "packseq/sequence/pack.hpp"
#include "support/gradients.hpp"
#include "support/multiply_adds.hpp"
#include "support/sequences.hpp"

// Embeddings and their networks, as one and as two modules.

namespace packseq::test {

inline constexpr std::int64_t word_count = 9, word_width = 3;

/// What makes a network, and how it is used.
struct EmbeddedCase {
  std::int64_t layers = 1;
  bool bidirectional = false;
  bool bias = true;
  bool with_state = false;
  c10::ScalarType dtype = at::kFloat;
  std::int64_t hidden = 4;
  std::int64_t proj_size = 0;  ///< Only an LSTM knows it.
};

inline std::vector<EmbeddedCase> all_embedded_cases() {
  std::vector<EmbeddedCase> all;
  for (const std::int64_t layers : {1, 2}) {
    for (const bool bidirectional : {false, true}) {
      for (const bool bias : {false, true}) {
        for (const bool with_state : {false, true}) {
          for (const auto dtype : {at::kFloat, at::kDouble, at::kBFloat16}) {
            all.push_back({layers, bidirectional, bias, with_state, dtype});
          }
        }
      }
    }
  }
  return all;
}

template <class Network>
class EmbeddedTest : public testing::Test {
 protected:
  static constexpr bool is_lstm = std::is_same_v<Network, nn::LSTM>;

  void SetUp() override { torch::manual_seed(0); }
  void TearDown() override { at::set_num_threads(1); }

  template <class Given>
  static auto with_all(Given given, const EmbeddedCase& of) {
    return given.num_layers(of.layers).bidirectional(of.bidirectional).bias(of.bias).dropout(of.layers > 1 ? 0.5 : 0.0);
  }

  static Network make_network(const EmbeddedCase& of = {}) {
    if constexpr (is_lstm)
      return Network(with_all(torch::nn::LSTMOptions(word_width, of.hidden).proj_size(of.proj_size), of));
    if constexpr (std::is_same_v<Network, nn::GRU>)
      return Network(with_all(torch::nn::GRUOptions(word_width, of.hidden), of));
    if constexpr (std::is_same_v<Network, nn::RNN>) {
      return Network(with_all(torch::nn::RNNOptions(word_width, of.hidden).nonlinearity(torch::kReLU), of));
    }
  }

  static nn::Embedded<Network> make(const EmbeddedCase& of = {},
                                    const torch::nn::EmbeddingOptions& options = {word_count, word_width}) {
    nn::Embedded<Network> embedded(nn::Embedding(options), make_network(of));
    embedded->most_beginnings = .9;  // as if it were a wide network
    embedded->to(of.dtype);
    return embedded;
  }

  /// Documents of many words that come again, some of them empty.
  static PackedSequence make_ids(std::int64_t documents = 7, std::int64_t longest = 12) {
    std::vector<at::Tensor> ids;
    for (std::int64_t i = 0; i < documents; ++i) {
      ids.push_back(torch::randint(0, word_count, {i % 4 == 3 ? 0 : 1 + (i * 5) % longest}, at::kLong));
    }
    return pack_sequence(ids);
  }

  static nn::State make_state(const EmbeddedCase& of, const PackedSequence& ids) {
    if (!of.with_state) return {};
    const std::int64_t rows = of.layers * (of.bidirectional ? 2 : 1);
    const auto draw = [&](std::int64_t size) {
      return torch::randn({rows, lengths(ids).size(0), size}, at::dtype(of.dtype)).requires_grad_();
    };
    return {draw(of.proj_size > 0 ? of.proj_size : of.hidden), is_lstm ? draw(of.hidden) : at::Tensor()};
  }

  static Tensors results(const nn::Result& result) {
    Tensors all = {result.output.data(), result.state.h};
    if (result.state.c.defined()) all.push_back(result.state.c);
    return all;
  }

  /// The two modules one after the other, which is what is expected.
  static Tensors run_modules(nn::Embedded<Network>& embedded, const PackedSequence& ids, const nn::State& state = {}) {
    torch::manual_seed(1);  // for dropout
    return results(embedded->network->forward(embedded->embedding->forward(ids), state));
  }

  static Tensors run(nn::Embedded<Network>& embedded, const PackedSequence& ids, const nn::State& state = {}) {
    torch::manual_seed(1);
    const MultiplyAdds multiply_adds;
    auto all = results(embedded->forward(ids, state));
    EXPECT_EQ(multiply_adds.count(), 0);
    return all;
  }

  static void expect_same(const Tensors& actual, const Tensors& expected) {
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_SAME(actual[i], expected[i]);
  }

  static void expect_same_gradients(const Tensors& actual, const Tensors& expected) {
    expect_near(actual, expected, actual[0].scalar_type() == at::kDouble ? 1e-10 : 1e-5);
  }

  /// What has gradients: parameters, and a state that records them.
  static Tensors inputs_of(const nn::Embedded<Network>& embedded, const nn::State& state) {
    auto inputs = embedded->parameters();
    for (const auto& tensor : {state.h, state.c}) {
      if (tensor.defined() && tensor.requires_grad()) inputs.push_back(tensor);
    }
    return inputs;
  }

  /// The gradients of `actual` are those of `run(embedded, state)`, the results of two modules. Those of bfloat16 are
  /// compared with float modules' that hold the same numbers and multiply in bfloat16: LibTorch adds up a word's
  /// gradients in bfloat16.
  template <class Run>
  static void expect_gradients_of_modules(const Tensors& actual, nn::Embedded<Network>& embedded,
                                          const nn::State& state, const Run& run) {
    const Tensors of_actual = gradients(actual, inputs_of(embedded, state));
    if (actual[0].scalar_type() != at::kBFloat16) {
      return expect_same_gradients(of_actual, gradients(run(embedded, state), inputs_of(embedded, state)));
    }
    nn::Embedded<Network> in_float(std::dynamic_pointer_cast<nn::EmbeddedImpl<Network>>(embedded->clone()));
    in_float->to(at::kFloat);
    in_float->network->precision = engine::Precision::bfloat16;
    const auto copy = [](const at::Tensor& tensor) {
      return tensor.defined() ? tensor.detach().to(at::kFloat).requires_grad_(tensor.requires_grad()) : tensor;
    };
    const nn::State state_in_float = {copy(state.h), copy(state.c)};
    const auto rounded = [](Tensors tensors) {
      for (auto& tensor : tensors) tensor = tensor.to(at::kBFloat16);
      return tensors;
    };
    const auto outputs = rounded(run(in_float, state_in_float));
    // Of some hundred rounded numbers that partly cancel each other.
    expect_near(of_actual, rounded(gradients(outputs, inputs_of(in_float, state_in_float))), 1e-1);
  }

  /// Both ways to the results, and both ways back.
  static void expect_as_modules(nn::Embedded<Network>& embedded, const PackedSequence& ids,
                                const nn::State& state = {}) {
    const auto actual = run(embedded, ids, state);
    expect_same(actual, run_modules(embedded, ids, state));
    expect_gradients_of_modules(actual, embedded, state, [&](nn::Embedded<Network>& modules, const nn::State& from) {
      return run_modules(modules, ids, from);
    });
  }
};

using EmbeddedNetworks = testing::Types<nn::LSTM, nn::GRU, nn::RNN>;

}  // namespace packseq::test
