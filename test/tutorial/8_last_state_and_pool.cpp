// Step 8. One vector for each document: where a network ends, or a mean or maximum over all its words.
#include <ATen/Context.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/rnn.h>

#include <cmath>
#include <iostream>
#include <vector>

#include "packseq/packseq.hpp"

int main() {
  // "on your mark", "get set" and "go", as indices. The table shows which word a vector belongs to: index 1 is 1.1 1.2.
  const std::vector<torch::Tensor> ids = {torch::tensor({1, 2, 3}), torch::tensor({4, 5}), torch::tensor({6})};
  const auto table = torch::arange(7).unsqueeze(1) + torch::tensor({0.1F, 0.2F});
  auto embedding = torch::nn::Embedding::from_pretrained(table);
  const auto words = packseq::map(packseq::pack_sequence(ids), embedding);
  std::cout << std::boolalpha;

  // A bidirectional network reads a document both ways. Forward it ends at the last word, backward at the first one;
  // its final state h holds both ends, [2, 3, 5].
  at::manual_seed(1);
  packseq::nn::LSTM lstm(torch::nn::LSTMOptions(2, 5).bidirectional(true));
  const auto [output, state] = lstm->forward(words);
  const auto both_ends = torch::cat({state.h[0], state.h[1]}, /*dim=*/1);
  const auto last = packseq::last_step(output, {.bidirectional = true});
  std::cout << "The last step of both directions: " << last.sizes() << '\n';
  std::cout << "It is the final state: " << torch::equal(last, both_ends) << '\n';

  // The trap: at a document's last word, the output of the backward direction has read that word and no other.
  const auto at_last_word = packseq::last_step(output);
  std::cout << "\nThe output at the last word has the same forward half: "
            << torch::equal(at_last_word.narrow(1, 0, 5), last.narrow(1, 0, 5)) << '\n';
  std::cout << "and the same backward half: " << torch::equal(at_last_word.narrow(1, 5, 5), last.narrow(1, 5, 5))
            << '\n';

  // The mean of the words by hand: pad, add up the real cells, divide by the lengths.
  const auto [padded, lengths] = packseq::pad_packed_sequence(words, {.batch_first = true});
  const auto real = packseq::mask(lengths, {.batch_first = true});
  std::cout << "\nWhich cells are real\n" << real << '\n';
  const auto mean_by_hand = (padded * real.unsqueeze(2)).sum(1) / lengths.unsqueeze(1);
  const auto mean = packseq::mean_pool(words);
  std::cout << "\nmean_pool: \"on your mark\" is the mean of 1.1 1.2, 2.1 2.2 and 3.1 3.2\n" << mean << '\n';
  std::cout << "By hand the same: " << torch::allclose(mean, mean_by_hand) << '\n';
  std::cout << "Forgetting that padding is not a word, \"go\" would be\n" << padded.mean(1)[2].view({1, 2}) << '\n';

  // The maximum by hand: padding must not win, even if all words are negative.
  const auto max_by_hand = padded.masked_fill(real.unsqueeze(2).logical_not(), -INFINITY).amax(1);
  const auto max = packseq::max_pool(words);
  std::cout << "\nmax_pool\n" << max << '\n';
  std::cout << "By hand the same: " << torch::equal(max, max_by_hand) << '\n';
}
