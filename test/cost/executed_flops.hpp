#pragma once

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/nn/modules/rnn.h>

#include <cstdint>
#include <tuple>

#include "packseq/cost/network_cost.hpp"
#include "packseq/sequence/pack.hpp"
#include "support/multiply_adds.hpp"

namespace packseq::cost {

/// LibTorch's own path for packed batches, on one thread, while this lives.
class PlainLibTorch {
 public:
  PlainLibTorch() {
    // Else an LSTM over documents of equal length runs in one operator of oneDNN, which shows no products.
    at::globalContext().setUserEnabledMkldnn(false);
    // Threads that wait for each other around every tiny product take ten times as long on a busy machine.
    at::set_num_threads(1);
  }
  ~PlainLibTorch() {
    at::globalContext().setUserEnabledMkldnn(true);
    at::set_num_threads(threads_);
  }
  PlainLibTorch(const PlainLibTorch&) = delete;
  PlainLibTorch& operator=(const PlainLibTorch&) = delete;

 private:
  int threads_ = at::get_num_threads();
};

/// LibTorch's own network applied to `input`: the output for every token.
inline at::Tensor output(const Network& network, const PackedSequence& input, const at::Tensor& h,
                         const at::Tensor& c) {
  const auto with_options = [&network](auto options) {
    return options.num_layers(network.num_layers).bidirectional(network.bidirectional);
  };
  if (network.kind == Kind::lstm) {
    torch::nn::LSTM lstm(
        with_options(torch::nn::LSTMOptions(network.input_size, network.hidden_size)).proj_size(network.proj_size));
    return std::get<0>(lstm->forward_with_packed_input(input, std::make_tuple(h, c))).data();
  }
  if (network.kind == Kind::gru) {
    torch::nn::GRU gru(with_options(torch::nn::GRUOptions(network.input_size, network.hidden_size)));
    return std::get<0>(gru->forward_with_packed_input(input, h)).data();
  }
  torch::nn::RNN rnn(with_options(torch::nn::RNNOptions(network.input_size, network.hidden_size)));
  return std::get<0>(rnn->forward_with_packed_input(input, h)).data();
}

struct Flops {
  std::int64_t forward;
  std::int64_t backward;
};

/// What LibTorch executes for a packed batch of these lengths.
inline Flops executed_flops(const Network& network, const at::Tensor& lengths, const Gradients& gradients) {
  const auto tokens = lengths.sum().item<std::int64_t>();
  const auto input = torch::randn({tokens, network.input_size}).requires_grad_(gradients.input);
  const auto packed = pack_sequence(Jagged::from_values(input, lengths));
  const auto states = network.num_layers * (network.bidirectional ? 2 : 1);
  const auto h_size = network.proj_size > 0 ? network.proj_size : network.hidden_size;
  const auto h = torch::randn({states, lengths.size(0), h_size}).requires_grad_(gradients.initial_state);
  const auto c = torch::randn({states, lengths.size(0), network.hidden_size});

  const PlainLibTorch plain;
  const test::MultiplyAdds multiply_adds;
  const auto loss = output(network, packed, h, c).sum();
  const auto forward = multiply_adds.count();
  loss.backward();
  return {2 * forward, 2 * (multiply_adds.count() - forward)};
}

}  // namespace packseq::cost
