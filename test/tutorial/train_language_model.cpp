// Training a language model: which word comes next? It is compared with a bigram model.
//
//   train_language_model [--epochs N] [--checkpoint FILE] [--workers N] [--seed N] [--precision NAME] FILE...
//   mpirun -n 4 train_language_model ...   the same in four processes, if packseq is built with MPI
//
// With a checkpoint it can be stopped at any time, also by a power cut; started again it goes on, to the same numbers.
#include <torch/data/dataloader.h>
#include <torch/nn/functional/loss.h>
#include <torch/optim/adam.h>

#include <cmath>
#include <cstdint>
#include <iomanip>
#include <iostream>

#include "packseq/packseq.hpp"
#include "training/bigram.hpp"
#include "training/language_model.hpp"
#include "training/options.hpp"
#include "training/processes.hpp"
#include "training/progress_line.hpp"

namespace data = packseq::data;
namespace distributed = packseq::distributed;

// Each process learns from the sum over its words; their mean over all processes is another than that of means.
torch::Tensor sum_of_losses(const torch::Tensor& scores, const torch::Tensor& words) {
  namespace functional = torch::nn::functional;
  return functional::cross_entropy(scores, words, functional::CrossEntropyFuncOptions().reduction(torch::kSum));
}

// What makes packed batches, each process its part of them, in an order that does not depend on the number of workers.
auto make_loader(const data::Documents& documents, const data::BatchSampler& sampler, std::size_t workers,
                 distributed::Communicator& processes) {
  return torch::data::make_data_loader(data::DocumentDataset(documents).map(data::PackNextToken()),
                                       distributed::Shard(sampler, processes),
                                       torch::data::DataLoaderOptions().workers(workers));
}

// The mean loss over all words; the perplexity is its exponential.
double evaluate(LanguageModel& model, const data::Documents& documents, std::size_t workers,
                distributed::Communicator& processes) {
  const torch::NoGradGuard no_grad;
  model.eval();
  const auto sums = torch::zeros({2}, torch::kDouble);
  const data::BatchSampler sampler(documents.sequences.lengths(), data::Bucketed{.batch_size = 64});
  const auto loader = make_loader(documents, sampler, workers, processes);
  for (auto& batch : *loader) {
    sums[0] += data::token_loss(model.forward(batch.input), batch.token_target, sum_of_losses);
    sums[1] += batch.token_target.data().size(0);
  }
  processes.sum(sums);
  return (sums[0] / sums[1]).item<double>();
}

// Trains the model until all epochs are done, beginning where the checkpoint is, if there is one.
void train(LanguageModel& model, const data::Documents& documents, const TrainingOptions& options,
           distributed::Communicator& processes) {
  torch::optim::Adam optimizer(model.parameters(), torch::optim::AdamOptions(0.003));
  const data::Checkpoint checkpoint(options.checkpoint, model, optimizer);
  data::Progress progress{.seed = options.seed};
  if (checkpoint.exists()) progress = checkpoint.load();
  const bool keeps = !options.checkpoint.empty() && processes.rank() == 0;
  distributed::Replica replica(model, processes);

  // About 2048 words in each batch, however long the documents are.
  const data::BatchSampler sampler(documents.sequences.lengths(),
                                   data::TokenBudget{.max_tokens = 2048, .longer_alone = true},
                                   {.seed = progress.seed, .start = progress.position});
  const auto loader = make_loader(documents, sampler, options.workers, processes);
  ProgressLine line(options.epochs, processes);
  model.train();
  for (auto& [epoch, batches] = progress.position; epoch < options.epochs; ++epoch, batches = 0) {
    for (auto& batch : *loader) {
      draw_apart(processes, progress);
      optimizer.zero_grad();
      const auto loss = data::token_loss(model.forward(batch.input), batch.token_target, sum_of_losses);
      loss.backward();
      const double mean = replica.reduce(loss.item<double>(), batch.token_target.data().size(0));
      optimizer.step();
      ++batches;
      line.show(progress.position, sampler.batches(), mean, batch.token_target.data().size(0));
      if (keeps && (batches % 100 == 0 || batches == sampler.batches())) checkpoint.save(progress);
    }
  }
}

void run(const TrainingOptions& options, distributed::Communicator& processes) {
  // A tenth of all lines is kept to see what has been learnt.
  const auto vocab = build_sentence_vocab(options.files);
  const auto documents = data::read_documents(options.files, {}, vocab);
  const auto [training, test] = data::split(documents, 0.9, /*seed=*/1);
  if (processes.rank() == 0)
    std::cout << documents.sequences.size() << " lines, " << vocab.size() << " different words\n";

  at::manual_seed(options.seed);
  LanguageModel model(vocab.size());
  model.lstm->precision = options.precision;
  train(model, training, options, processes);

  const double loss = evaluate(model, test, options.workers, processes);
  if (processes.rank() != 0) return;
  const Bigram bigram(training.sequences, vocab.size());
  std::cout << "test loss " << std::setprecision(17) << loss << std::setprecision(4) << "\nperplexity "
            << std::exp(loss) << ", bigram model " << bigram.perplexity(test.sequences) << '\n';
}

int main(int argc, char** argv) { return run_processes("train_language_model", {argv + 1, argv + argc}, run); }
