// Training that is stopped within an epoch, while workers have fetched ahead, ends with the numbers of a whole run.

#include <torch/data/dataloader.h>
#include <torch/nn.h>
#include <torch/optim/adam.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "data/checkpoint_fixture.hpp"
#include "packseq/data/batch_sampler.hpp"
#include "packseq/data/checkpoint.hpp"
#include "packseq/data/collate.hpp"
#include "packseq/data/documents.hpp"
#include "packseq/data/loss.hpp"
#include "packseq/nn/embedded.hpp"
#include "packseq/nn/gru.hpp"
#include "packseq/sequence/pool.hpp"

namespace packseq::data {
namespace {

/// A classifier with dropout: of documents from their words, and of their tokens from what else is known of them.
struct Classifier : torch::nn::Module {
  Classifier() {
    register_module("network", network);
    register_module("linear", linear);
    register_module("tagger", tagger);
  }

  at::Tensor loss(const PackedBatch& batch) {
    const auto scores = linear(torch::dropout(max_pool(network->forward(batch.input).output), .5, /*train=*/true));
    const auto token_scores = tagger->forward(batch.features.at(0)).output;
    return torch::nn::functional::cross_entropy(scores, batch.target) +
           token_loss(token_scores, batch.token_target, torch::nn::MSELoss());
  }

  nn::EmbeddedLSTM network{nn::Embedding(20, 4), nn::LSTM(4, 5)};
  torch::nn::Linear linear{5, 3};
  nn::GRU tagger{2, 3};
};

class CheckpointResumeTest : public CheckpointTest {
 protected:
  static constexpr std::int64_t epochs = 2;

  /// Trains from where the checkpoint is until the end, or until so many more batches are done; saves after each.
  void train(Classifier& model, std::size_t workers, std::int64_t batches_to_do) const {
    torch::optim::Adam optimizer(model.parameters());
    const Checkpoint checkpoint(file_, model, optimizer);
    Progress progress{.seed = 3};
    if (checkpoint.exists()) progress = checkpoint.load();
    const BatchSampler sampler(documents_.sequences.lengths(), TokenBudget{60},
                               {.seed = progress.seed, .start = progress.position});
    const auto loader = torch::data::make_data_loader(DocumentDataset(documents_).map(Pack()), sampler,
                                                      torch::data::DataLoaderOptions().workers(workers));
    for (auto& [epoch, batches] = progress.position; epoch < epochs; ++epoch, batches = 0) {
      for (auto& batch : *loader) {
        optimizer.zero_grad();
        model.loss(batch).backward();
        optimizer.step();
        ++batches;
        checkpoint.save(progress);
        if (--batches_to_do == 0) return;
      }
    }
  }

  const Documents documents_ = [] {
    at::manual_seed(0);
    const auto lengths = torch::randint(1, 12, {60}, torch::kLong);
    const auto tokens = lengths.sum().item<std::int64_t>();
    const auto part = [&](const at::Tensor& values) { return Jagged::from_values(values, lengths); };
    return Documents{.sequences = part(torch::randint(0, 20, {tokens}, torch::kLong)),
                     .labels = torch::randint(0, 3, {60}, torch::kLong),
                     .token_labels = part(torch::randn({tokens, 3})),
                     .features = {part(torch::randn({tokens, 2}))}};
  }();
};

TEST_F(CheckpointResumeTest, EndsWithTheNumbersOfAWholeRun) {
  at::manual_seed(1);
  Classifier whole;
  train(whole, 0, -1);
  for (const std::size_t workers : {0U, 2U}) {
    std::filesystem::remove(file_);
    at::manual_seed(1);
    for (const std::int64_t batches : {1, 3, 4, 100}) {
      Classifier resumed;  // with other weights, which the checkpoint puts right
      train(resumed, workers, batches);
      if (batches == 100) expect_same_weights(resumed, whole);
    }
  }
}

}  // namespace
}  // namespace packseq::data
