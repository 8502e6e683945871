// What python_parity.py has run and written, done again in C++.
#include "packseq/nn/gru.hpp"
#include "packseq/nn/lstm.hpp"
#include "packseq/nn/per_token.hpp"
#include "packseq/nn/rnn.hpp"
#include "packseq/nn/state_dict.hpp"
#include "support/sequences.hpp"
#include "weights.hpp"

namespace packseq::nn {
namespace {

/// The model of python_parity.py.
template <class Network>
struct Tagger : torch::nn::Module {
  template <class Options>
  Tagger(Options options, std::int64_t output_size)
      : network(options.num_layers(2).bidirectional(true)), linear(2 * output_size, 3) {
    register_module("embedding", embedding);
    register_module("network", network);
    register_module("linear", linear);
  }

  Embedding embedding{11, 4};
  Network network;
  Linear linear;
};

void expect_close(const at::Tensor& actual, const at::Tensor& expected, const std::string& name) {
  ASSERT_EQ(actual.sizes(), expected.sizes()) << name;
  const double tolerance = actual.is_cuda() ? 1e-3 : 1e-6;  // TF32
  EXPECT_TRUE(at::allclose(actual.cpu(), expected, 1e-5, tolerance)) << name << '\n' << actual << '\n' << expected;
}

template <class Network>
void expect_as_in_python(Tagger<Network> model, const std::string& name, c10::Device device) {
  const auto results = read_state_dict(test::python_file("parity.pt"));
  const auto result = [&](const std::string& key) { return results[name + "." + key]; };
  model.to(device);
  load_state_dict(model, results, {.prefix = name + ".model."});

  const PackedSequence ids =
      pack_sequence({result("document.0"), result("document.1"), result("document.2"), result("document.3")});
  State initial = {result("initial.h").to(device).requires_grad_()};
  const bool has_cells = results.contains(name + ".initial.c");
  if (has_cells) initial.c = result("initial.c").to(device).requires_grad_();
  const auto [output, final] = model.network(model.embedding(ids.to(device)), initial);
  const at::Tensor scores = model.linear(output).data();
  expect_close(output.data(), result("output"), "output");
  expect_close(scores, result("scores"), "scores");
  expect_close(final.h, result("final.h"), "final.h");
  at::Tensor loss = scores.cos().sum() + final.h.sin().sum();
  if (has_cells) {
    expect_close(final.c, result("final.c"), "final.c");
    loss = loss + final.c.sin().sum();
  }

  loss.backward();
  for (const auto& parameter : model.named_parameters()) {
    expect_close(parameter.value().grad(), result("gradient." + parameter.key()), parameter.key());
  }
  expect_close(initial.h.grad(), result("gradient.h"), "gradient.h");
  if (has_cells) expect_close(initial.c.grad(), result("gradient.c"), "gradient.c");
}

TEST(PythonParity, LstmDoesAsInPython) {
  for (const auto device : test::devices()) {
    expect_as_in_python(Tagger<LSTM>(torch::nn::LSTMOptions(4, 5), 5), "lstm", device);
    expect_as_in_python(Tagger<LSTM>(torch::nn::LSTMOptions(4, 5).proj_size(3), 3), "lstm_projected", device);
  }
}

TEST(PythonParity, GruDoesAsInPython) {
  for (const auto device : test::devices()) {
    expect_as_in_python(Tagger<GRU>(torch::nn::GRUOptions(4, 5), 5), "gru", device);
  }
}

TEST(PythonParity, RnnDoesAsInPython) {
  for (const auto device : test::devices()) {
    expect_as_in_python(Tagger<RNN>(torch::nn::RNNOptions(4, 5), 5), "rnn_tanh", device);
    const auto relu = torch::nn::RNNOptions(4, 5).nonlinearity(torch::kReLU).bias(false);
    expect_as_in_python(Tagger<RNN>(relu, 5), "rnn_relu", device);
  }
}

}  // namespace
}  // namespace packseq::nn
