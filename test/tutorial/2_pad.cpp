// Step 2. Padding: documents of different length become one rectangular tensor.
#include <torch/nn/utils/rnn.h>

#include <iostream>
#include <vector>

#include "packseq/packseq.hpp"

namespace rnn = torch::nn::utils::rnn;

int main() {
  // "on your mark", "get set" and "go", as indices: T = 3 steps at most, B = 3 documents.
  const std::vector<torch::Tensor> ids = {torch::tensor({1, 2, 3}), torch::tensor({4, 5}), torch::tensor({6})};
  std::cout << std::boolalpha;

  // In C++ LibTorch's arguments have no names; packseq's have. Both pad with 0, [T, B], if nothing is said.
  const auto torch_columns = rnn::pad_sequence(ids);
  const auto columns = packseq::pad_sequence(ids);
  std::cout << "pad_sequence, [T, B]: each document is a column\n" << columns << '\n';
  std::cout << "LibTorch gives the same: " << torch::equal(torch_columns, columns) << '\n';

  const auto torch_rows = rnn::pad_sequence(ids, true);
  const auto rows = packseq::pad_sequence(ids, {.batch_first = true});
  std::cout << "\nbatch_first = true, [B, T]: each document is a row\n" << rows << '\n';
  std::cout << "LibTorch gives the same: " << torch::equal(torch_rows, rows) << '\n';

  // 0 is the index of "<pad>"; any other number will do if nobody reads it.
  const auto torch_columns_42 = rnn::pad_sequence(ids, false, 42);
  const auto columns_42 = packseq::pad_sequence(ids, {.padding_value = 42});
  std::cout << "\npadding_value = 42\n" << columns_42 << '\n';
  std::cout << "LibTorch gives the same: " << torch::equal(torch_columns_42, columns_42) << '\n';

  const auto torch_rows_42 = rnn::pad_sequence(ids, true, 42);
  const auto rows_42 = packseq::pad_sequence(ids, {.batch_first = true, .padding_value = 42});
  std::cout << "\nbatch_first = true, padding_value = 42\n" << rows_42 << '\n';
  std::cout << "LibTorch gives the same: " << torch::equal(torch_rows_42, rows_42) << '\n';

  // A padded tensor has forgotten what was real: the lengths must be kept beside it.
  const auto lengths = packseq::Jagged(ids).lengths();
  std::cout << "\nThe lengths\n" << lengths << '\n';
  const auto documents = packseq::unpad_sequence(columns, lengths);
  std::cout << "With them padding comes off again: " << torch::equal(documents[1], ids[1]) << '\n';
}
