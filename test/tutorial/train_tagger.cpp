// Training a tagger: which label has each word of a sentence? It is compared with each word's most frequent label.
//
//   train_tagger [--checkpoint FILE] [--epochs N] TRAIN DEV   two column files: in each line a word, and its label last
//   train_tagger --checkpoint FILE --predict TEXT             writes the words of TEXT, each with its label
//
// With a checkpoint it can be stopped at any time, also by a power cut; started again it goes on, to the same numbers.
// It runs in one process, also where packseq is built with MPI: see train_classifier for training in several.
#include <torch/data/dataloader.h>
#include <torch/nn/utils/clip_grad.h>
#include <torch/optim/adam.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <utility>

#include "packseq/packseq.hpp"
#include "training/progress_line.hpp"
#include "training/tagger.hpp"
#include "training/tagger_options.hpp"
#include "training/tagger_text.hpp"
#include "training/tags.hpp"

namespace data = packseq::data;

auto make_loader(const TaggerText& text, const data::BatchSampler& sampler, std::size_t workers) {
  return torch::data::make_data_loader(data::DocumentDataset(text.sentences).map(data::Pack()), sampler,
                                       torch::data::DataLoaderOptions().workers(workers));
}

// The best labels of all sentences, batch by batch in the text's order, go to `take(batch, labels)`; gives tokens a
// second.
template <class Take>
std::int64_t tag(Tagger& model, const TaggerText& text, std::size_t workers, const Take& take) {
  const torch::NoGradGuard no_grad;
  model.eval();
  const data::BatchSampler in_order(text.sentences.sequences.lengths(),
                                    data::TokenBudget{.max_tokens = 4096, .longer_alone = true}, {.shuffle = false});
  const auto loader = make_loader(text, in_order, workers);
  const auto start = std::chrono::steady_clock::now();
  for (auto& batch : *loader) take(batch, model.crf->decode(model.forward(batch.input, text)).tags);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  return std::llround(static_cast<double>(text.sentences.sequences.values().size(0)) / elapsed.count());
}

// How good the labels of DEV are, and how many are found a second.
std::pair<data::SpanMetrics, std::int64_t> evaluate(Tagger& model, const TaggerTask& task, std::size_t workers) {
  auto metrics = make_metrics(task.dev_labels, task.names.scheme);
  const auto speed = tag(model, task.dev, workers, [&metrics](const auto& batch, const auto& labels) {
    metrics.add(labels, batch.token_target);
  });
  return {metrics, speed};
}

// Trains until all epochs are done, beginning where the checkpoint is, if there is one.
void train(Training& training, const TaggerTask& task, const TrainingOptions& options, std::ostream& output) {
  Tagger& model = *training.tagger;
  torch::optim::Adam optimizer(model.parameters(), torch::optim::AdamOptions(0.002));
  const data::Checkpoint checkpoint(options.checkpoint, training, optimizer);
  data::Progress progress{.seed = options.seed};
  if (checkpoint.exists()) {
    check_names(options.checkpoint, task.names);
    progress = checkpoint.load();
  }
  const bool keeps = !options.checkpoint.empty();

  // About 1024 words in each batch, however long the sentences are.
  const data::BatchSampler sampler(task.train.sentences.sequences.lengths(),
                                   data::TokenBudget{.max_tokens = 1024, .longer_alone = true},
                                   {.seed = progress.seed, .start = progress.position});
  const auto loader = make_loader(task.train, sampler, options.workers);
  packseq::distributed::Alone alone;
  ProgressLine line(options.epochs, alone, output);
  for (auto& [epoch, batches] = progress.position; epoch < options.epochs; ++epoch, batches = 0) {
    model.train();
    for (auto& batch : *loader) {
      optimizer.zero_grad();
      const auto scores = model.forward(batch.input, task.train);
      const auto loss = -model.crf->log_likelihood(scores, batch.token_target, packseq::nn::Reduction::token_mean);
      loss.backward();
      torch::nn::utils::clip_grad_norm_(model.parameters(), 5);
      optimizer.step();
      ++batches;
      line.show(progress.position, sampler.batches(), loss.item<double>(), batch.input.data().size(0));
      if (keeps && batches % 100 == 0 && batches != sampler.batches()) checkpoint.save(progress);
    }
    const auto [metrics, speed] = evaluate(model, task, options.workers);
    output << "epoch " << epoch + 1 << '/' << options.epochs << "  " << metrics << ", " << speed << " tokens/s\n";
    training.keep_if_best(metrics);
    if (keeps) checkpoint.save({.seed = progress.seed, .position = {.epoch = epoch + 1}});
  }
}

// Trains on TRAIN, and gives the tagger that labels DEV best.
std::shared_ptr<Tagger> train(const TaggerOptions& options, std::ostream& output) {
  const auto task = read_task(options.training.files[0], options.training.files[1], options.columns, output);
  auto baseline = make_metrics(task.dev_labels, task.names.scheme);
  baseline.add(most_frequent_labels(task), *task.dev.sentences.token_labels);
  output << "each word's most frequent label: " << baseline << '\n';

  at::manual_seed(options.training.seed);
  Training training(task.names);
  for (const auto& tagger : {training.tagger, training.best}) {
    tagger->run_in(options.engine, options.training.precision);
  }
  train(training, task, options.training, output);
  if (!options.predict.empty() && !is_score(training.best_score)) {
    throw std::invalid_argument("--epochs is 0, and no tagger is trained yet to --predict with: give 1 or more");
  }
  output << evaluate(*training.best, task, options.training.workers).first << '\n';
  return training.best;
}

// Writes the words of a text with their labels, as a column file.
void predict(Tagger& model, const TaggerOptions& options) {
  const data::TokenColumns columns{.word = options.columns.word, .format = options.columns.format};
  const auto text = read_text(options.predict, columns, model.names);
  const auto speed = tag(model, text, options.training.workers, [&](const auto& batch, const auto& found) {
    const auto sentences = packseq::unpack_sequence(batch.input).unbind();
    const auto labels = packseq::unpack_sequence(found).unbind();
    for (std::size_t i = 0; i < sentences.size(); ++i) {
      const auto* const form = sentences[i].template data_ptr<std::int64_t>();
      const auto* const label = labels[i].template data_ptr<std::int64_t>();
      for (std::int64_t j = 0; j < sentences[i].numel(); ++j) {
        std::cout << text.forms.token(form[j]) << '\t' << model.names.labels.token(label[j]) << '\n';
      }
      std::cout << '\n';
    }
  });
  std::cerr << text.sentences.sequences.values().size(0) << " tokens, " << speed << " a second\n";
}

int main(int argc, char** argv) {
  try {
    const auto options = parse_tagger_options({argv + 1, argv + argc});
    const bool predicts = !options.predict.empty();
    const auto tagger = options.training.files.empty() ? load_best_tagger(options.training.checkpoint)
                                                       : train(options, predicts ? std::cerr : std::cout);
    tagger->run_in(options.engine, options.training.precision);
    if (predicts) predict(*tagger, options);
    check_output();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "train_tagger: " << reason_of(error) << '\n';
    const bool is_misused = dynamic_cast<const std::invalid_argument*>(&error) != nullptr;
    if (is_misused) std::cerr << "Usage: train_tagger " << tagger_usage;
    return 1;
  }
}
