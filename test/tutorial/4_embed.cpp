// Step 4. Embedding: each word index becomes a vector of numbers, here four.
#include <torch/nn/modules/embedding.h>
#include <torch/nn/utils/rnn.h>

#include <iostream>
#include <vector>

#include "packseq/packseq.hpp"

namespace rnn = torch::nn::utils::rnn;

int main() {
  // "on your mark", "get set" and "go", as indices.
  const std::vector<torch::Tensor> ids = {torch::tensor({1, 2, 3}), torch::tensor({4, 5}), torch::tensor({6})};
  std::cout << std::boolalpha;

  // A table that shows which word a vector belongs to: index 1 is 1.1 1.2 1.3 1.4, and padding is 0.1 0.2 0.3 0.4.
  const auto table = torch::arange(7).unsqueeze(1) + torch::tensor({0.1F, 0.2F, 0.3F, 0.4F});
  auto embedding = torch::nn::Embedding::from_pretrained(table);

  // With LibTorch: pad, embed, then pack. Padding is embedded as well, and thrown away.
  const auto padded = rnn::pad_sequence(ids, /*batch_first=*/true);
  const auto embedded = embedding->forward(padded);
  const auto torch_packed = rnn::pack_padded_sequence(embedded, torch::tensor({3, 2, 1}), /*batch_first=*/true);
  std::cout << "The embedded padded batch is " << embedded.sizes() << "; its last document, \"go\", ends in padding\n"
            << embedded[2] << '\n';
  std::cout << "\npack_padded_sequence: data is " << torch_packed.data().sizes() << '\n' << torch_packed.data() << '\n';

  // The same function with packseq, which refuses lengths that do not fit.
  const auto packed = packseq::pack_padded_sequence(embedded, torch::tensor({3, 2, 1}), {.batch_first = true});
  std::cout << "packseq gives the same: " << torch::equal(packed.data(), torch_packed.data()) << '\n';

  // Shorter: pack first, then embed only real words, and nothing is ever padded.
  const auto mapped = packseq::map(packseq::pack_sequence(ids), embedding);
  std::cout << "\npack_sequence, then map: data is " << mapped.data().sizes() << '\n';
  std::cout << "The same again: " << torch::equal(mapped.data(), torch_packed.data()) << '\n';
}
