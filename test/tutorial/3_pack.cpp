// Step 3. Packing: the real words of all documents in one tensor, step by step, and no padding.
#include <torch/nn/utils/rnn.h>

#include <iostream>
#include <tuple>
#include <vector>

#include "packseq/packseq.hpp"

namespace rnn = torch::nn::utils::rnn;

int main() {
  // "on your mark", "get set" and "go", as indices.
  const std::vector<torch::Tensor> ids = {torch::tensor({1, 2, 3}), torch::tensor({4, 5}), torch::tensor({6})};
  std::cout << std::boolalpha;

  // LibTorch pads on the way to a packed batch; packseq packs directly.
  const auto torch_packed = rnn::pack_sequence(ids);
  const auto packed = packseq::pack_sequence(ids);

  std::cout << "data: the first words (1 4 6), then the second ones (2 5), then the third (3)\n";
  std::cout << packed.data() << '\n';
  std::cout << "LibTorch gives the same: " << torch::equal(torch_packed.data(), packed.data()) << '\n';

  std::cout << "\nbatch_sizes: how many documents have a first, a second, a third word\n";
  std::cout << packed.batch_sizes() << '\n';
  std::cout << "LibTorch gives the same: " << torch::equal(torch_packed.batch_sizes(), packed.batch_sizes()) << '\n';

  // The lengths are in there too: LibTorch returns them only when the batch is padded again.
  const auto torch_lengths = std::get<1>(rnn::pad_packed_sequence(torch_packed));
  const auto lengths = packseq::lengths(packed);
  std::cout << "\nlengths\n" << lengths << '\n';
  std::cout << "LibTorch gives the same: " << torch::equal(torch_lengths, lengths) << '\n';

  // A pack has its longest document first. In any other order it is sorted, and remembers the order it came in:
  // packseq does so by default, LibTorch with enforce_sorted = false.
  const std::vector<torch::Tensor> go_first = {ids[2], ids[0], ids[1]};
  const auto torch_sorted = rnn::pack_sequence(go_first, /*enforce_sorted=*/false);
  const auto sorted = packseq::pack_sequence(go_first);
  std::cout << "\n\"go\" first: the data is the same: " << torch::equal(sorted.data(), packed.data()) << '\n';
  std::cout << "sorted_indices: document 1, \"on your mark\", is packed first\n" << sorted.sorted_indices() << '\n';
  std::cout << "LibTorch gives the same: " << torch::equal(torch_sorted.sorted_indices(), sorted.sorted_indices())
            << '\n';
}
