#include "packseq/nn/result.hpp"

#include "packseq/nn/gru.hpp"
#include "packseq/nn/lstm.hpp"
#include "packseq/nn/rnn.hpp"
#include "support/sequences.hpp"

namespace packseq::nn {
namespace {

TEST(TakeOutput, ChainsNetworksInASequential) {
  LSTM lstm(3, 4);
  GRU gru(4, 5);
  RNN rnn(5, 2);
  torch::nn::Sequential network(lstm, TakeOutput(), gru, TakeOutput(), rnn);
  const auto packed = pack_sequence({torch::rand({2, 3}), torch::rand({0, 3}), torch::rand({4, 3})});
  const auto result = network->forward<Result>(packed);
  const auto expected = rnn->forward(gru->forward(lstm->forward(packed).output).output);
  EXPECT_SAME(result.output.data(), expected.output.data());
  EXPECT_SAME(result.state.h, expected.state.h);

  const auto copy = std::dynamic_pointer_cast<torch::nn::SequentialImpl>(network->clone());
  EXPECT_SAME(copy->forward<Result>(packed).output.data(), expected.output.data());
}

}  // namespace
}  // namespace packseq::nn
