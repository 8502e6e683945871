#include "packseq/nn/lstm.hpp"

#include "nn/conformance.hpp"
#include "nn/module_conformance.hpp"

namespace packseq::test {
namespace {

struct LstmNetwork {
  using Ours = nn::LSTM;
  using Theirs = torch::nn::LSTM;
  static constexpr const char* name = "LSTM";
  static inline const std::vector<const char*> state_names = {"state.h", "state.c"};

  static torch::nn::LSTMOptions options(const NetworkOptions& options) {
    return torch::nn::LSTMOptions(3, 4)
        .num_layers(options.layers)
        .bidirectional(options.bidirectional)
        .bias(options.bias)
        .batch_first(options.batch_first)
        .dropout(options.dropout)
        .proj_size(options.proj_size);
  }

  static std::vector<std::int64_t> state_sizes(const NetworkOptions& options) {
    return {options.proj_size > 0 ? options.proj_size : 4, 4};
  }

  static Tensors ours(Ours& lstm, const PackedSequence& input, const Tensors& state) {
    const auto result = state.empty() ? lstm->forward(input) : lstm->forward(input, {state[0], state[1]});
    return {result.output.data(), result.state.h, result.state.c};
  }

  static Tensors theirs(Theirs& lstm, const PackedSequence& input, const Tensors& state) {
    const auto result = lstm->forward_with_packed_input(
        input, state.empty() ? std::nullopt : std::optional(std::tuple(state[0], state[1])));
    const auto& [h, c] = std::get<1>(result);
    return {std::get<0>(result).data(), h, c};
  }
};

INSTANTIATE_TYPED_TEST_SUITE_P(Lstm, Conformance, LstmNetwork);
INSTANTIATE_TYPED_TEST_SUITE_P(Lstm, ModuleConformance, LstmNetwork);

TEST(LSTM, NamesItsResults) {
  nn::LSTM lstm(torch::nn::LSTMOptions(4, 5));
  const auto [output, state] =
      lstm->forward(pack_sequence({torch::rand({3, 4}), torch::rand({2, 4}), torch::rand({1, 4})}));
  EXPECT_EQ(output.data().sizes(), at::IntArrayRef({6, 5}));
  EXPECT_EQ(state.h.sizes(), at::IntArrayRef({1, 3, 5}));
  EXPECT_EQ(state.c.sizes(), at::IntArrayRef({1, 3, 5}));
}

}  // namespace
}  // namespace packseq::test
