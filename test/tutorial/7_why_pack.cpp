// Step 7. Why pack? A network takes a step for every cell of padding, and its state is wrong afterwards.
#include <torch/nn/modules/rnn.h>

#include <iostream>
#include <string>
#include <tuple>
#include <vector>

#include "packseq/packseq.hpp"

int main() {
  // "on your mark", "get set" and "go", one number for each word: [3, 1], [2, 1] and [1, 1].
  const std::vector<torch::Tensor> words = {torch::ones({3, 1}), torch::ones({2, 1}), torch::ones({1, 1})};
  const auto padded = packseq::pad_sequence(words);
  const auto packed = packseq::pack_sequence(words);

  // An RNN that counts its steps, h = h + 1, whatever it reads; in both directions.
  const auto options = torch::nn::RNNOptions(1, 1).nonlinearity(torch::kReLU).bidirectional(true);
  const auto count_steps = [](torch::nn::Module& rnn) {
    const torch::NoGradGuard no_grad;
    for (auto& parameter : rnn.named_parameters()) {
      parameter.value().fill_(parameter.key().find("_hh_") != std::string::npos ? 1 : 0);
    }
  };
  torch::nn::RNN torch_rnn(options);
  packseq::nn::RNN rnn(options);
  count_steps(*torch_rnn);
  count_steps(*rnn);

  const auto [padded_output, padded_h] = torch_rnn->forward(padded);
  const auto [packed_output, packed_state] = rnn->forward(packed);

  std::cout << "How many steps did the RNN take for \"on your mark\", \"get set\" and \"go\"?\n";
  std::cout << "Forward, h of the padded batch: it went on to the end of the padding\n" << padded_h[0].t() << '\n';
  std::cout << "Forward, h of the packed batch: it stopped at the last word\n" << packed_state.h[0].t() << '\n';
  const auto torch_packed_h = std::get<1>(torch_rnn->forward_with_packed_input(packed));
  std::cout << "LibTorch, too, if its batch is packed: " << std::boolalpha
            << torch::equal(torch_packed_h, packed_state.h) << '\n';

  // Throwing away the outputs of padding afterwards does not help: going backward, padding is read first.
  std::cout << "\nThe output for the word \"go\", forward and backward\n";
  std::cout << "Padded: backward it is the third step, after two of padding\n"
            << padded_output[0][2].view({1, 2}) << '\n';
  std::cout << "Packed: it is the first step in both directions\n"
            << packseq::unpack_sequence(packed_output)[2] << '\n';

  // And padding is not free: a matrix of the padded batch, times a column, multiplies padding too.
  const auto lengths = packseq::lengths(packed);
  const auto useful = packseq::cost::matrix_product(lengths);
  const auto executed = packseq::cost::matrix_product(packseq::cost::padded_lengths(lengths));
  std::cout << "\nThe batch times a column\n";
  std::cout << "Padded: " << executed.multiplications << " multiplications, " << executed.additions << " additions\n";
  std::cout << "Packed: " << useful.multiplications << " multiplications, " << useful.additions << " additions\n";
}
