// Training in several processes: how many tokens a second, and what adding up the gradients takes of that.
//
//   mpirun -n N distributed_bench [HIDDEN] [STEPS]
//
// Global batches are the same whatever the number of ranks: 128 documents of log-normal lengths, median 39.

#include <ATen/Parallel.h>
#include <torch/nn/functional/loss.h>
#include <torch/nn/modules/linear.h>
#include <torch/optim/sgd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "packseq/data/collate.hpp"
#include "packseq/distributed/mpi.hpp"
#include "packseq/distributed/replica.hpp"
#include "packseq/distributed/shard.hpp"
#include "packseq/nn/embedded.hpp"
#include "packseq/sequence/pool.hpp"

namespace packseq::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t words = 10'000;

struct Classifier : torch::nn::Module {
  explicit Classifier(std::int64_t hidden)
      : network(nn::Embedding(words, 128), nn::LSTM(128, hidden)), linear(hidden, 2) {
    register_module("network", network);
    register_module("linear", linear);
  }
  at::Tensor forward(const PackedSequence& ids) { return linear(max_pool(network(ids).output)); }
  nn::EmbeddedLSTM network;
  torch::nn::Linear linear;
};

/// Documents for so many batches, their words as frequent as Zipf's law has it.
data::Documents random_documents(std::int64_t documents) {
  torch::manual_seed(1);
  const auto lengths = torch::randn({documents}).mul(0.9).exp().mul(39).to(torch::kLong) + 1;
  const auto uniform = torch::rand({lengths.sum().item<std::int64_t>()}, torch::kDouble);
  const auto ids = torch::pow(static_cast<double>(words), uniform).sub(1).to(torch::kLong);
  return {Jagged::from_values(ids, lengths), torch::randint(0, 2, {documents}, torch::kLong)};
}

double median(std::vector<double> times) {
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  return times[times.size() / 2];
}

void run(distributed::Communicator& ranks, std::int64_t hidden, std::int64_t steps) {
  const auto documents = random_documents(128 * steps);
  Classifier model(hidden);
  distributed::Replica replica(model, ranks);
  torch::optim::SGD optimizer(model.parameters(), 0.1);
  distributed::Shard shard(data::BatchSampler(documents.sequences.lengths(), data::FixedSize{128}), ranks);
  data::DocumentDataset dataset(documents);
  std::vector<double> step_times;
  std::vector<double> reduce_times;
  while (auto part = shard.next()) {
    const auto batch = data::Pack().apply_batch(dataset.get_batch(*part));
    const auto start = Clock::now();
    optimizer.zero_grad();
    const auto loss =
        torch::nn::functional::cross_entropy(model.forward(batch.input), batch.target,
                                             torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kSum));
    loss.backward();
    ranks.gather("");  // so that what a rank waits for the others does not count as adding up
    const auto before = Clock::now();
    replica.reduce(loss.item<double>(), batch.target.ne(data::ignored_label).sum().item<std::int64_t>());
    const auto after = Clock::now();
    optimizer.step();
    step_times.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    reduce_times.push_back(std::chrono::duration<double>(after - before).count());
  }
  if (ranks.rank() != 0) return;
  const double tokens = static_cast<double>(documents.sequences.values().size(0)) / static_cast<double>(steps);
  std::int64_t numbers = 0;
  for (const auto& parameter : model.parameters()) numbers += parameter.numel();
  std::cout << ranks.size() << " ranks x " << at::get_num_threads() << " threads, hidden " << hidden << ": "
            << std::llround(tokens / median(step_times)) << " tokens/s, " << 1e3 * median(step_times)
            << " ms a step, of which " << 1e3 * median(reduce_times) << " ms for the gradients, "
            << 4e-6 * static_cast<double>(numbers) << " MB\n";
}

}  // namespace
}  // namespace packseq::bench

int main(int argc, char** argv) try {
  packseq::distributed::MpiCommunicator ranks;
  try {
    packseq::bench::run(ranks, argc > 1 ? std::stoll(argv[1]) : 256, argc > 2 ? std::stoll(argv[2]) : 30);
  } catch (const std::exception& error) {
    std::cerr << "distributed_bench: " << error.what() << std::endl;
    throw;
  }
} catch (const std::exception&) {
  return 1;
}
