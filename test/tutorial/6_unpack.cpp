// Step 6. Unpacking: from a network's packed output back to documents.
#include <ATen/Context.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/rnn.h>

#include <cstdint>
#include <iostream>
#include <vector>

#include "packseq/packseq.hpp"

namespace rnn = torch::nn::utils::rnn;

int main() {
  // "on your mark", "get set" and "go", as indices, through an LSTM with hidden size 5.
  const std::vector<torch::Tensor> ids = {torch::tensor({1, 2, 3}), torch::tensor({4, 5}), torch::tensor({6})};
  at::manual_seed(1);
  torch::nn::Embedding embedding(7, 4);
  packseq::nn::LSTM lstm(torch::nn::LSTMOptions(4, 5));
  const auto packed_output = lstm->forward(packseq::map(packseq::pack_sequence(ids), embedding)).output;
  std::cout << std::boolalpha;

  // One padded tensor, and the lengths.
  const auto [torch_output, torch_lengths] = rnn::pad_packed_sequence(packed_output, /*batch_first=*/true);
  const auto [output, lengths] = packseq::pad_packed_sequence(packed_output, {.batch_first = true});
  std::cout << "pad_packed_sequence: output is " << output.sizes() << "; \"get set\" ends in padding, which is 0\n"
            << output[1] << '\n';
  std::cout << "lengths\n" << lengths << '\n';
  std::cout << "LibTorch gives the same: "
            << (torch::equal(torch_output, output) && torch::equal(torch_lengths, lengths)) << '\n';

  // One tensor for each document. LibTorch has no such function in C++: cut the padded output by hand.
  const auto documents = packseq::unpack_sequence(packed_output);
  std::cout << "\nunpack_sequence\n";
  for (std::int64_t i = 0; i < documents.size(); ++i) {
    const auto by_hand = torch_output[i].slice(0, 0, torch_lengths[i].item<std::int64_t>());
    std::cout << "document " << i << ": " << documents[i].sizes()
              << ", the same by hand: " << torch::equal(by_hand, documents[i]) << '\n';
  }
}
