#include "packseq/nn/rnn.hpp"

#include "nn/conformance.hpp"
#include "nn/module_conformance.hpp"

namespace packseq::test {
namespace {

struct RnnNetwork {
  using Ours = nn::RNN;
  using Theirs = torch::nn::RNN;
  static constexpr const char* name = "RNN";
  static inline const std::vector<const char*> state_names = {"state.h"};

  static torch::nn::RNNOptions options(const NetworkOptions& options) {
    return torch::nn::RNNOptions(3, 4)
        .num_layers(options.layers)
        .bidirectional(options.bidirectional)
        .bias(options.bias)
        .batch_first(options.batch_first)
        .dropout(options.dropout);
  }

  static std::vector<std::int64_t> state_sizes(const NetworkOptions&) { return {4}; }

  static Tensors ours(Ours& network, const PackedSequence& input, const Tensors& state) {
    const auto result = state.empty() ? network->forward(input) : network->forward(input, {state[0]});
    return {result.output.data(), result.state.h};
  }

  static Tensors theirs(Theirs& network, const PackedSequence& input, const Tensors& state) {
    const auto result = network->forward_with_packed_input(input, state.empty() ? at::Tensor() : state[0]);
    return {std::get<0>(result).data(), std::get<1>(result)};
  }
};

INSTANTIATE_TYPED_TEST_SUITE_P(Rnn, Conformance, RnnNetwork);
INSTANTIATE_TYPED_TEST_SUITE_P(Rnn, ModuleConformance, RnnNetwork);

/// The same with the other nonlinearity.
struct ReluNetwork : RnnNetwork {
  static torch::nn::RNNOptions options(const NetworkOptions& options) {
    return RnnNetwork::options(options).nonlinearity(torch::kReLU);
  }
};

INSTANTIATE_TYPED_TEST_SUITE_P(Relu, Conformance, ReluNetwork);
INSTANTIATE_TYPED_TEST_SUITE_P(Relu, ModuleConformance, ReluNetwork);

TEST(RNN, RefusesACellState) {
  nn::RNN network(3, 4);
  EXPECT_THROWS(network->forward(pack_sequence({torch::rand({2, 3})}), {.c = torch::zeros({1, 1, 4})}), c10::ValueError,
                "RNN::forward: state.c is defined, but only an LSTM has a cell state");
}

}  // namespace
}  // namespace packseq::test
