#include "packseq/cost/network_cost.hpp"

#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include "cost/executed_flops.hpp"
#include "support/sequences.hpp"

namespace packseq::cost {
namespace {

using c10::TypeError, c10::ValueError;

const Network small_lstm{.input_size = 4, .hidden_size = 5};

std::vector<at::Tensor> batches() {
  torch::manual_seed(0);
  return {torch::tensor({1}), torch::tensor({3, 3}), torch::tensor({1, 7, 2, 7, 1}),
          torch::randint(1, 6, {4}, at::kLong), torch::randint(1, 10, {11}, at::kLong)};
}

/// A kind of network and the size of its projection, the number of layers, and whether it is bidirectional.
using Shape = std::tuple<std::tuple<Kind, std::int64_t>, std::int64_t, bool>;

class NetworkCost : public testing::TestWithParam<Shape> {
 protected:
  Network network() const {
    const auto [kind_and_projection, layers, bidirectional] = GetParam();
    return {.kind = std::get<0>(kind_and_projection),
            .input_size = 7,
            .hidden_size = 5,
            .proj_size = std::get<1>(kind_and_projection),
            .num_layers = layers,
            .bidirectional = bidirectional};
  }
};

INSTANTIATE_TEST_SUITE_P(Shapes, NetworkCost,
                         testing::Combine(testing::Values(std::tuple(Kind::rnn, 0), std::tuple(Kind::gru, 0),
                                                          std::tuple(Kind::lstm, 0), std::tuple(Kind::lstm, 3)),
                                          testing::Values(1, 2, 3), testing::Bool()));

TEST_P(NetworkCost, IsWhatLibTorchExecutes) {
  for (const at::Tensor& lengths : batches()) {
    for (const bool input : {false, true}) {
      for (const bool initial_state : {false, true}) {
        const Gradients gradients{.input = input, .initial_state = initial_state};
        const auto flops = executed_flops(network(), lengths, gradients);
        EXPECT_EQ(forward_flops(network(), lengths), flops.forward) << lengths;
        EXPECT_EQ(backward_flops(network(), lengths, gradients), flops.backward)
            << lengths << "\ninput " << input << ", initial state " << initial_state;
      }
    }
  }
}

/// An input that is wider by three costs what three features of all tokens do.
TEST_P(NetworkCost, CountsWhatRepeatedTokensSave) {
  Network narrow = network();
  Network difference = network();
  narrow.input_size = 4;
  difference.input_size = 3;
  for (const at::Tensor& lengths : batches()) {
    const auto tokens = lengths.sum().item<std::int64_t>();
    const auto forward = forward_flops(network(), lengths) - forward_flops(narrow, lengths);
    const auto backward = backward_flops(network(), lengths) - backward_flops(narrow, lengths);
    EXPECT_EQ(repeated_flops(difference, tokens, Mode::inference), forward);
    EXPECT_EQ(repeated_flops(difference, tokens, Mode::training), forward + backward);
  }
  EXPECT_EQ(repeated_flops(network(), 0, Mode::training), 0);
}

TEST(RepeatedFlops, RefusesTokensOutOfRange) {
  EXPECT_THROWS(repeated_flops(small_lstm, -1, Mode::inference), ValueError, "repeated is -1");
  EXPECT_THROWS(repeated_flops(small_lstm, std::int64_t{1} << 60, Mode::training), ValueError, "2^63 or more");
  EXPECT_THROWS(repeated_flops({.input_size = 4}, 1, Mode::training), ValueError, "hidden_size is 0");
}

TEST_P(NetworkCost, DoesNotCountEmptyDocuments) {
  const auto with = torch::tensor({0, 3, 0, 2, 1, 0});
  const auto without = torch::tensor({3, 2, 1});
  EXPECT_EQ(forward_flops(network(), with), forward_flops(network(), without));
  EXPECT_EQ(backward_flops(network(), with), backward_flops(network(), without));
  for (const auto mode : {Mode::inference, Mode::training}) {
    EXPECT_EQ(activation_bytes(network(), with, mode), activation_bytes(network(), without, mode));
  }
}

TEST_P(NetworkCost, IsNothingForABatchOfOnlyEmptyDocuments) {
  const auto lengths = torch::tensor({0, 0});
  EXPECT_EQ(forward_flops(network(), lengths), 0);
  EXPECT_EQ(backward_flops(network(), lengths, {.input = false}), 0);
  EXPECT_EQ(activation_bytes(network(), lengths, Mode::training), 0);
}

TEST(NetworkCostExamples, Hold) {
  const auto lengths = torch::tensor({3, 2, 1});
  EXPECT_EQ(forward_flops(small_lstm, lengths), 2160);
  EXPECT_EQ(backward_flops(small_lstm, lengths, {.input = false}), 2760);
  EXPECT_EQ(activation_bytes(small_lstm, lengths, Mode::training), 816);
  EXPECT_SAME(padded_lengths(lengths), torch::tensor({3, 3, 3}));
}

TEST(Padded, GivesWhatLibTorchExecutesForAPaddedBatch) {
  const auto lengths = torch::tensor({3, 0, 2, 1});
  torch::nn::GRU gru(4, 5);  // oneDNN would run an LSTM
  const test::MultiplyAdds multiply_adds;
  gru->forward(torch::zeros({3, 4, 4}));
  EXPECT_EQ(forward_flops({.kind = Kind::gru, .input_size = 4, .hidden_size = 5}, padded_lengths(lengths)),
            2 * multiply_adds.count());
}

TEST(Padded, IsAsLongAsTheLongest) {
  EXPECT_SAME(padded_lengths(torch::tensor({0, 4, 1})), torch::tensor({4, 4, 4}));
  EXPECT_SAME(padded_lengths(torch::tensor({0, 0})), torch::tensor({0, 0}));
}

TEST(ActivationBytes, CountsInputAndOutputOfTheWidestLayerInInference) {
  const auto bytes = [](const Network& network) {
    return activation_bytes(network, torch::tensor({3, 2, 1}), Mode::inference, 1);
  };
  EXPECT_EQ(bytes(small_lstm), 6 * (4 + 5));
  EXPECT_EQ(bytes({.input_size = 4, .hidden_size = 5, .bidirectional = true}), 6 * (4 + 10));
  EXPECT_EQ(bytes({.input_size = 4, .hidden_size = 5, .num_layers = 2, .bidirectional = true}), 6 * (10 + 10));
  EXPECT_EQ(bytes({.input_size = 9, .hidden_size = 5, .proj_size = 2, .num_layers = 2}), 6 * (9 + 2));
}

TEST(ActivationBytes, CountsInTrainingAllLayersAndWhatBackwardReads) {
  const auto bytes = [](const Network& network) {
    return activation_bytes(network, torch::tensor({3, 2, 1}), Mode::training, 1);
  };
  EXPECT_EQ(bytes({.kind = Kind::rnn, .input_size = 4, .hidden_size = 5}), 6 * (4 + 5));
  EXPECT_EQ(bytes({.kind = Kind::gru, .input_size = 4, .hidden_size = 5}), 6 * (4 + 5 + 4 * 5));
  EXPECT_EQ(bytes({.input_size = 4, .hidden_size = 5, .proj_size = 2, .num_layers = 3, .bidirectional = true}),
            6 * (4 + 3 * 2 * (2 + 5 * 5)));
}

TEST(ActivationBytes, GrowsWithTheElementSize) {
  const auto lengths = torch::tensor({3, 2, 1});
  for (const auto mode : {Mode::inference, Mode::training}) {
    EXPECT_EQ(activation_bytes(small_lstm, lengths, mode), 4 * activation_bytes(small_lstm, lengths, mode, 1));
  }
}

TEST(ActivationBytes, RefusesAnElementSizeThatIsNotPositive) {
  EXPECT_THROWS(activation_bytes(small_lstm, torch::tensor({1}), Mode::inference, 0), ValueError,
                "activation_bytes: element_size is 0, and must be positive");
}

/// Every function of this header that takes lengths, under its name.
const std::vector<std::tuple<std::string, std::function<void(const Network&, const at::Tensor&)>>> functions = {
    {"forward_flops", [](const auto& network, const auto& lengths) { forward_flops(network, lengths); }},
    {"backward_flops", [](const auto& network, const auto& lengths) { backward_flops(network, lengths); }},
    {"activation_bytes",
     [](const auto& network, const auto& lengths) { activation_bytes(network, lengths, Mode::training); }}};

TEST(NetworkCostRefusals, NameWhatIsWrongWithLengths) {
  auto with_padded = functions;
  with_padded.emplace_back("padded_lengths", [](const auto&, const auto& lengths) { padded_lengths(lengths); });
  for (const auto& [name, function] : with_padded) {
    const auto& call = function;  // C++20 as clang 14 has it captures no structured binding
    EXPECT_THROWS(call(small_lstm, torch::tensor({1.0})), TypeError, name + ": lengths is Float on cpu");
    EXPECT_THROWS(call(small_lstm, torch::tensor(3)), ValueError, name + ": lengths has sizes []");
    EXPECT_THROWS(call(small_lstm, torch::empty({0}, at::kLong)), ValueError, name + ": lengths is empty");
    EXPECT_THROWS(call(small_lstm, torch::tensor({3, -1})), ValueError, name + ": lengths[1] is -1");
  }
}

TEST(NetworkCostRefusals, NameWhatIsWrongWithTheNetwork) {
  const auto lengths = torch::tensor({3, 2, 1});
  for (const auto& [name, function] : functions) {
    const auto expect_refusal = [&, &call = function, &prefix = name](const Network& network, const char* text) {
      EXPECT_THROWS(call(network, lengths), ValueError, prefix + ": network." + text);
    };
    expect_refusal({.input_size = 0, .hidden_size = 5}, "input_size is 0, and must be positive");
    expect_refusal({.input_size = 4, .hidden_size = -5}, "hidden_size is -5, and must be positive");
    expect_refusal({.input_size = 4, .hidden_size = 5, .num_layers = 0}, "num_layers is 0, and must be positive");
    expect_refusal({.input_size = 4, .hidden_size = 5, .proj_size = 5},
                   "proj_size is 5, and must be in 0 ... 4, less than hidden_size");
    expect_refusal({.input_size = 4, .hidden_size = 5, .proj_size = -1}, "proj_size is -1, and must be in 0 ... 4");
    expect_refusal({.kind = Kind::gru, .input_size = 4, .hidden_size = 5, .proj_size = 2},
                   "proj_size is 2, and must be 0: only an LSTM has a projection");
  }
}

TEST(NetworkCostRefusals, NameACountThatOutgrowsAnInt64) {
  constexpr auto huge = std::int64_t{1} << 61;
  const auto lengths = torch::tensor({3, 2, 1});
  for (const auto& [name, function] : functions) {
    const auto expect_refusal = [&, &call = function, &prefix = name](const Network& network, const at::Tensor& batch) {
      EXPECT_THROWS(call(network, batch), ValueError, prefix + ": the count is 2^63 or more");
    };
    expect_refusal({.input_size = huge, .hidden_size = 5}, lengths);
    expect_refusal({.input_size = 4, .hidden_size = huge}, lengths);
    expect_refusal({.input_size = 4, .hidden_size = 5, .num_layers = huge}, lengths);
    expect_refusal(small_lstm, torch::tensor({huge, huge, huge, huge}));
  }
}

TEST(NetworkCost, IsExactUpToTheLargestInt64) {
  // 2 * 1 * (I + 1) FLOPs per token of an RNN with one hidden unit.
  const Network rnn{.kind = Kind::rnn, .input_size = (std::int64_t{1} << 61) - 1, .hidden_size = 1};
  EXPECT_EQ(forward_flops(rnn, torch::tensor({1})), std::int64_t{1} << 62);
  EXPECT_THROWS(forward_flops(rnn, torch::tensor({2})), ValueError, "the count is 2^63 or more");
}

}  // namespace
}  // namespace packseq::cost
