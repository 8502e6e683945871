#include <torch/nn/modules/embedding.h>

#include <iostream>
#include <string>
#include <vector>

#include "packseq/packseq.hpp"

int main() {
  const std::vector<std::string> documents = {"on your mark", "get set", "go"};
  const auto vocab = packseq::Vocab::build(documents);
  const auto packed = packseq::pack_sequence(packseq::encode(documents, vocab));

  torch::nn::Embedding embedding(vocab.size(), 4);
  packseq::nn::LSTM lstm(torch::nn::LSTMOptions(4, 5));
  const auto [output, state] = lstm->forward(packseq::map(packed, embedding));
  std::cout << output.data().sizes() << ' ' << state.h.sizes() << '\n';
}
