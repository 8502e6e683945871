// Word vectors from a file: a classifier that learns from few labelled lines, with the vectors and without.
//
//   pretrained_vectors VECTORS FILE FILE...   which of the files does a line come from?
//
// VECTORS may be of GloVe, word2vec or fastText; they know words that the few lines do not have.
#include <torch/data/dataloader.h>
#include <torch/nn/functional/loss.h>
#include <torch/nn/modules/linear.h>
#include <torch/optim/adam.h>

#include <cstdint>
#include <exception>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <stdexcept>
#include <utility>
#include <vector>

#include "packseq/packseq.hpp"

namespace data = packseq::data;
namespace nn = packseq::nn;

constexpr std::int64_t labelled_lines = 10;  // about so many of each file

// A vector for each word, an LSTM that reads them both ways, the mean of its numbers over a document's words, and a
// score for each file.
struct Classifier : torch::nn::Module {
  Classifier(nn::Embedding words, std::int64_t files)
      : embedding(std::move(words)),
        lstm(torch::nn::LSTMOptions(embedding->options.embedding_dim(), 32).bidirectional(true)),
        linear(2 * 32, files) {
    register_module("embedding", embedding);
    register_module("lstm", lstm);
    register_module("linear", linear);
  }

  torch::Tensor forward(const packseq::PackedSequence& ids) {
    return linear(packseq::mean_pool(lstm(embedding(ids)).output));
  }

  nn::Embedding embedding;
  nn::LSTM lstm;
  torch::nn::Linear linear;
};

auto make_loader(const data::Documents& documents, data::BatchSamplerOptions options = {}) {
  data::BatchSampler sampler(documents.sequences.lengths(), data::Bucketed{.batch_size = 32}, options);
  return torch::data::make_data_loader(data::DocumentDataset(documents).map(data::Pack()), std::move(sampler),
                                       torch::data::DataLoaderOptions());
}

void train(Classifier& model, const data::Documents& documents) {
  std::vector<torch::Tensor> trained;
  for (const auto& parameter : model.parameters()) {
    if (parameter.requires_grad()) trained.push_back(parameter);  // not a frozen embedding
  }
  torch::optim::Adam optimizer(trained, torch::optim::AdamOptions(0.005));
  const auto loader = make_loader(documents, {.seed = 1});
  for (int epoch = 0; epoch < 40; ++epoch) {
    for (auto& batch : *loader) {
      optimizer.zero_grad();
      torch::nn::functional::cross_entropy(model.forward(batch.input), batch.target).backward();
      optimizer.step();
    }
  }
}

// The share of documents whose file is found, in percent.
double accuracy(Classifier& model, const data::Documents& documents) {
  const torch::NoGradGuard no_grad;
  std::int64_t right = 0;
  const auto loader = make_loader(documents);
  for (auto& batch : *loader) {
    right += model.forward(batch.input).argmax(1).eq(batch.target).sum().item<std::int64_t>();
  }
  return 100 * static_cast<double>(right) / static_cast<double>(documents.sequences.size());
}

double learn(nn::Embedding embedding, const data::Documents& training, const data::Documents& test,
             std::int64_t files) {
  torch::manual_seed(1);
  Classifier model(std::move(embedding), files);
  train(model, training);
  return accuracy(model, test);
}

void run(const std::filesystem::path& vectors, const std::vector<std::filesystem::path>& files) {
  // The vocabulary is that of the vectors, not of the few labelled lines alone: most frequent words first.
  packseq::WordVectorReader words(vectors);
  const auto vocab = packseq::Vocab::build(
      words,
      {.specials = {"<pad>", "<unk>"}, .unknown = "<unk>", .tokenizer = packseq::split_words, .max_size = 50'000});
  packseq::WordVectorReader reader(vectors);
  const auto table = nn::read_vector_table(reader, vocab, {.missing = nn::Missing::normal});

  const data::TextReaderOptions text = {.label = data::LabelSource::file};
  const auto labels = data::build_labels(files, text);
  const auto documents = data::read_documents(files, text, vocab, labels);
  const auto share =
      static_cast<double>(labelled_lines * labels.size()) / static_cast<double>(documents.sequences.size());
  const auto [training, test] = data::split(documents, share, /*seed=*/1);
  const auto known = static_cast<double>(table.found_tokens(documents.sequences.values()));
  std::cout << vocab.size() << " words with " << table.weight.size(1) << " numbers each, " << std::setprecision(3)
            << 100 * known / static_cast<double>(documents.sequences.values().size(0)) << " % of the text\n"
            << training.sequences.size() << " labelled lines of " << documents.sequences.size() << '\n';

  // Frozen, a word that no labelled line has stays near those that one has.
  const auto pretrained = nn::Embedding::from_pretrained(
      table.weight, torch::nn::EmbeddingFromPretrainedOptions().padding_idx(table.padding_idx));
  torch::manual_seed(1);
  const nn::Embedding random(vocab.size(), table.weight.size(1));
  std::cout << "accuracy with vectors " << learn(pretrained, training, test, labels.size()) << " %, without "
            << learn(random, training, test, labels.size()) << " %\n";
}

int main(int argc, char** argv) {
  try {
    if (argc < 4) throw std::invalid_argument("usage: pretrained_vectors VECTORS FILE FILE...");
    run(argv[1], {argv + 2, argv + argc});
  } catch (const c10::Error& error) {
    std::cerr << "pretrained_vectors: " << error.what_without_backtrace() << '\n';
    return 1;
  } catch (const std::exception& error) {
    std::cerr << "pretrained_vectors: " << error.what() << '\n';
    return 1;
  }
}
