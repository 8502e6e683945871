// Step 11. What padding costs: FLOPs and bytes of a network over real documents, before it runs.
#include <torch/types.h>

#include <algorithm>
#include <cstdint>
#include <iomanip>
#include <iostream>
#include <string>
#include <vector>

#include "packseq/packseq.hpp"

namespace cost = packseq::cost;

namespace {

/// How much a network does, padded and packed, over batches of documents of these lengths.
void compare(const std::string& name, const cost::Network& network, const std::vector<torch::Tensor>& batches) {
  std::int64_t padded_flops = 0;
  std::int64_t packed_flops = 0;
  std::int64_t padded_bytes = 0;
  std::int64_t packed_bytes = 0;
  for (const auto& lengths : batches) {
    const auto padded = cost::padded_lengths(lengths);  // each as long as the longest
    padded_flops += cost::forward_flops(network, padded) + cost::backward_flops(network, padded);
    packed_flops += cost::forward_flops(network, lengths) + cost::backward_flops(network, lengths);
    padded_bytes = std::max(padded_bytes, cost::activation_bytes(network, padded, cost::Mode::training));
    packed_bytes = std::max(packed_bytes, cost::activation_bytes(network, lengths, cost::Mode::training));
  }
  const auto row = [](const char* what, double padded, double packed, double unit) {
    std::cout << "  " << std::left << std::setw(14) << what << std::right << std::setw(8) << padded / unit
              << std::setw(8) << packed / unit << std::setw(8) << 100 * (1 - packed / padded) << " %\n";
  };
  std::cout << '\n' << name << "\n                  padded  packed    saved\n";
  row("million FLOPs", static_cast<double>(padded_flops), static_cast<double>(packed_flops), 1e6);
  row("thousand bytes", static_cast<double>(padded_bytes), static_cast<double>(packed_bytes), 1e3);
}

}  // namespace

int main() {
  std::cout << std::fixed << std::setprecision(1);

  // How many words each of eight documents has: most are short, one is not.
  const auto lengths = torch::tensor({7, 31, 4, 12, 9, 5, 3, 17});
  const auto padded = cost::padded_lengths(lengths);
  std::cout << "One batch: " << lengths.sum().item<std::int64_t>() << " words, padded to "
            << padded.sum().item<std::int64_t>() << " cells\n";

  // By hand: each word takes 2 * 4 * H * (I + H) FLOPs in an LSTM, a multiplication and an addition for every weight.
  const cost::Network lstm{.input_size = 16, .hidden_size = 32};
  std::cout << "Forward, packed: " << cost::forward_flops(lstm, lengths) << " FLOPs, by hand "
            << 2 * 4 * 32 * (16 + 32) * lengths.sum().item<std::int64_t>() << '\n';

  compare("An LSTM, one training step", lstm, {lengths});
  auto bidirectional = lstm;
  bidirectional.bidirectional = true;
  compare("A bidirectional LSTM", bidirectional, {lengths});

  // Two batches of four: as they come, and sorted, so that documents of like length share a batch.
  const auto sorted = std::get<0>(lengths.sort());
  compare("An LSTM, two batches as they come", lstm, {lengths.slice(0, 0, 4), lengths.slice(0, 4, 8)});
  compare("An LSTM, two batches of like length", lstm, {sorted.slice(0, 0, 4), sorted.slice(0, 4, 8)});
  std::cout << "\nSorting makes padding cheaper. Packing makes it free, in whatever order documents come.\n";
}
