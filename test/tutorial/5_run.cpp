// Step 5. Running an LSTM and an RNN over a packed batch.
#include <ATen/Context.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/rnn.h>

#include <iostream>
#include <vector>

#include "packseq/packseq.hpp"

// The same but for rounding.
bool same(const torch::Tensor& a, const torch::Tensor& b) { return torch::allclose(a, b, 1e-5, 1e-6); }

int main() {
  // "on your mark", "get set" and "go", as indices, packed and embedded: data [6, 4].
  const std::vector<torch::Tensor> ids = {torch::tensor({1, 2, 3}), torch::tensor({4, 5}), torch::tensor({6})};
  torch::nn::Embedding embedding(7, 4);
  const auto packed = packseq::map(packseq::pack_sequence(ids), embedding);
  std::cout << std::boolalpha;

  // The same seed gives both networks the same weights.
  at::manual_seed(1);
  torch::nn::LSTM torch_lstm(torch::nn::LSTMOptions(4, 5));
  at::manual_seed(1);
  packseq::nn::LSTM lstm(torch::nn::LSTMOptions(4, 5));

  const auto [torch_output, torch_state] = torch_lstm->forward_with_packed_input(packed);
  const auto& [torch_h, torch_c] = torch_state;
  const auto [packed_output, state] = lstm->forward(packed);

  std::cout << "LSTM with hidden size 5\n";
  std::cout << "packed_output.data: " << packed_output.data().sizes() << ", one row for each real word\n";
  std::cout << "h: " << state.h.sizes() << ", the hidden state of each document after its last word\n";
  std::cout << "c: " << state.c.sizes() << ", its cell state\n";
  std::cout << "LibTorch gives the same: "
            << (same(torch_output.data(), packed_output.data()) && same(torch_h, state.h) && same(torch_c, state.c))
            << '\n';

  // An RNN (and a GRU) has only a hidden state.
  at::manual_seed(1);
  torch::nn::RNN torch_rnn(torch::nn::RNNOptions(4, 5));
  at::manual_seed(1);
  packseq::nn::RNN rnn(torch::nn::RNNOptions(4, 5));

  const auto [torch_rnn_output, torch_rnn_h] = torch_rnn->forward_with_packed_input(packed);
  const auto [rnn_output, rnn_state] = rnn->forward(packed);

  std::cout << "\nRNN with hidden size 5\n";
  std::cout << "packed_output.data: " << rnn_output.data().sizes() << '\n';
  std::cout << "h: " << rnn_state.h.sizes() << '\n';
  std::cout << "LibTorch gives the same: "
            << (same(torch_rnn_output.data(), rnn_output.data()) && same(torch_rnn_h, rnn_state.h)) << '\n';
}
