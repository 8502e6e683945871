// Training a classifier: which of several files does a line come from? It is compared with naive Bayes.
//
//   train_classifier [--epochs N] [--checkpoint FILE] [--workers N] [--seed N] [--precision NAME] FILE FILE...
//   mpirun -n 4 train_classifier ...   the same in four processes, if packseq is built with MPI
//
// With a checkpoint it can be stopped at any time, also by a power cut; started again it goes on, to the same numbers.
#include <torch/data/dataloader.h>
#include <torch/nn/functional/loss.h>
#include <torch/nn/modules/dropout.h>
#include <torch/nn/modules/linear.h>
#include <torch/optim/adam.h>

#include <cstdint>
#include <iomanip>
#include <iostream>
#include <stdexcept>

#include "packseq/packseq.hpp"
#include "training/naive_bayes.hpp"
#include "training/options.hpp"
#include "training/processes.hpp"
#include "training/progress_line.hpp"

namespace data = packseq::data;
namespace distributed = packseq::distributed;

// Each process learns from the sum over its documents; their mean over all processes is another than that of means.
torch::Tensor sum_of_losses(const torch::Tensor& scores, const torch::Tensor& classes) {
  namespace functional = torch::nn::functional;
  return functional::cross_entropy(scores, classes, functional::CrossEntropyFuncOptions().reduction(torch::kSum));
}

// A vector for each word, an LSTM that reads them both ways, the largest of its numbers over a document's words, and a
// score for each class.
struct Classifier : torch::nn::Module {
  Classifier(std::int64_t words, std::int64_t classes)
      : embedding(words, 64),
        lstm(torch::nn::LSTMOptions(64, 64).bidirectional(true)),
        dropout(0.3),
        linear(2 * 64, classes) {
    register_module("embedding", embedding);
    register_module("lstm", lstm);
    register_module("dropout", dropout);
    register_module("linear", linear);
  }

  torch::Tensor forward(const packseq::PackedSequence& ids) {
    const auto output = lstm(embedding(ids)).output;
    return linear(dropout(packseq::max_pool(output)));
  }

  packseq::nn::Embedding embedding;
  packseq::nn::LSTM lstm;
  torch::nn::Dropout dropout;
  torch::nn::Linear linear;
};

// What makes packed batches, each process its part of them, in an order that does not depend on the number of workers.
auto make_loader(const data::Documents& documents, const data::BatchSampler& sampler, std::size_t workers,
                 distributed::Communicator& processes) {
  return torch::data::make_data_loader(data::DocumentDataset(documents).map(data::Pack()),
                                       distributed::Shard(sampler, processes),
                                       torch::data::DataLoaderOptions().workers(workers));
}

struct Score {
  double loss = 0;      // the mean over documents
  double accuracy = 0;  // the share of documents whose class is found
};

Score evaluate(Classifier& model, const data::Documents& documents, std::size_t workers,
               distributed::Communicator& processes) {
  const torch::NoGradGuard no_grad;
  model.eval();
  const auto sums = torch::zeros({2}, torch::kDouble);
  const data::BatchSampler sampler(documents.sequences.lengths(), data::Bucketed{.batch_size = 64});
  const auto loader = make_loader(documents, sampler, workers, processes);
  for (auto& batch : *loader) {
    const auto scores = model.forward(batch.input);
    sums[0] += sum_of_losses(scores, batch.target);
    sums[1] += scores.argmax(1).eq(batch.target).sum();
  }
  processes.sum(sums);
  sums.div_(documents.sequences.size());
  return {sums[0].item<double>(), sums[1].item<double>()};
}

// Trains the model until all epochs are done, beginning where the checkpoint is, if there is one.
void train(Classifier& model, const data::Documents& documents, const TrainingOptions& options,
           distributed::Communicator& processes) {
  torch::optim::Adam optimizer(model.parameters(), torch::optim::AdamOptions(0.002));
  const data::Checkpoint checkpoint(options.checkpoint, model, optimizer);
  data::Progress progress{.seed = options.seed};
  if (checkpoint.exists()) progress = checkpoint.load();
  const bool keeps = !options.checkpoint.empty() && processes.rank() == 0;
  distributed::Replica replica(model, processes);

  // About 4096 words in each batch, however long the documents are.
  const data::BatchSampler sampler(documents.sequences.lengths(),
                                   data::TokenBudget{.max_tokens = 4096, .longer_alone = true},
                                   {.seed = progress.seed, .start = progress.position});
  const auto loader = make_loader(documents, sampler, options.workers, processes);
  ProgressLine line(options.epochs, processes);
  model.train();
  for (auto& [epoch, batches] = progress.position; epoch < options.epochs; ++epoch, batches = 0) {
    for (auto& batch : *loader) {
      draw_apart(processes, progress);
      optimizer.zero_grad();
      const auto loss = sum_of_losses(model.forward(batch.input), batch.target);
      loss.backward();
      // A process without documents has one that does not count.
      const auto count = batch.target.ne(data::ignored_label).sum().item<std::int64_t>();
      const double mean = replica.reduce(loss.item<double>(), count);
      optimizer.step();
      ++batches;
      line.show(progress.position, sampler.batches(), mean, batch.input.data().size(0));
      if (keeps && (batches % 100 == 0 || batches == sampler.batches())) checkpoint.save(progress);
    }
  }
}

void run(const TrainingOptions& options, distributed::Communicator& processes) {
  if (options.files.size() < 2) throw std::invalid_argument("one FILE alone: there is nothing to tell apart");
  // The words that come twice or more, and the files. A tenth of all lines is kept to see what has been learnt.
  const data::TextReaderOptions text = {.label = data::LabelSource::file};
  const auto vocab = data::build_vocab(
      options.files, text,
      {.specials = {"<pad>", "<unk>"}, .unknown = "<unk>", .tokenizer = packseq::split_words, .min_frequency = 2});
  const auto labels = data::build_labels(options.files, text);
  const auto documents = data::read_documents(options.files, text, vocab, labels);
  const auto [training, test] = data::split(documents, 0.9, /*seed=*/1);
  if (processes.rank() == 0) {
    std::cout << documents.sequences.size() << " lines of " << labels.size() << " files, " << vocab.size()
              << " different words\n";
  }

  at::manual_seed(options.seed);
  Classifier model(vocab.size(), labels.size());
  model.lstm->precision = options.precision;
  train(model, training, options, processes);

  const auto score = evaluate(model, test, options.workers, processes);
  if (processes.rank() != 0) return;
  const NaiveBayes naive_bayes(training, vocab.size(), labels.size());
  std::cout << "test loss " << std::setprecision(17) << score.loss << std::setprecision(4) << "\naccuracy "
            << 100 * score.accuracy << " %, naive Bayes " << 100 * naive_bayes.accuracy(test) << " %\n";
}

int main(int argc, char** argv) { return run_processes("train_classifier", {argv + 1, argv + argc}, run); }
