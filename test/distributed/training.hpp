#pragma once

#include <gtest/gtest.h>
#include <torch/data/dataloader.h>
#include <torch/nn/functional/loss.h>
#include <torch/nn/modules/linear.h>
#include <torch/optim/sgd.h>

#include <functional>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "packseq/data/collate.hpp"
#include "packseq/data/documents.hpp"
#include "packseq/data/loss.hpp"
#include "packseq/distributed/replica.hpp"
#include "packseq/distributed/shard.hpp"
#include "packseq/nn/embedded.hpp"
#include "packseq/sequence/pool.hpp"

// Little trainings that are run by all ranks, of any communicator, and by one process alone.

namespace packseq::test {

inline constexpr std::int64_t words = 20;

/// Scores for each word, from a network of one of the kinds in `network_kinds`.
struct Model : torch::nn::Module {
  explicit Model(const std::string& kind) {
    nn::Embedding embedding(words, 6);
    if (kind == "LSTM") {
      use_both(embedding, nn::LSTM(6, 8));
    } else if (kind == "GRU") {
      use_both(embedding, nn::GRU(6, 8));
    } else {
      nn::EmbeddedLSTM network(embedding, nn::LSTM(6, 8));
      register_module("network", network);
      encode = [network](const PackedSequence& ids) mutable { return network(ids).output; };
    }
    register_module("linear", linear);
  }

  template <class Network>
  void use_both(nn::Embedding embedding, Network network) {
    register_module("embedding", embedding);
    register_module("network", network);
    encode = [embedding, network](const PackedSequence& ids) mutable { return network(embedding(ids)).output; };
  }

  std::function<PackedSequence(const PackedSequence&)> encode;
  torch::nn::Linear linear = torch::nn::Linear(8, words);
};

inline const std::vector<std::string> network_kinds = {"LSTM", "GRU", "EmbeddedLSTM"};

/// LibTorch has one generator for all threads, and ranks may be threads.
inline std::mutex random_numbers;

/// Documents of very different lengths, some of them empty, each with a label.
inline data::Documents random_documents() {
  const std::lock_guard lock(random_numbers);
  torch::manual_seed(7);
  const auto lengths = torch::randn({90}).mul(1.5).add(1).exp().to(torch::kLong).clamp(0, 60);
  return {Jagged::from_values(torch::randint(0, words, {lengths.sum().item<std::int64_t>()}, torch::kLong), lengths),
          torch::randint(0, words, {90}, torch::kLong)};
}

/// Sequences of numbers, with a label at each step and numbers for the whole.
inline data::Documents documents_of_numbers() {
  const auto lengths = random_documents().sequences.lengths();
  const std::lock_guard lock(random_numbers);
  torch::manual_seed(8);
  const auto steps = lengths.sum().item<std::int64_t>();
  return {.sequences = Jagged::from_values(torch::randn({steps, 6}), lengths),
          .labels = torch::randn({90, 2}),
          .token_labels = Jagged::from_values(torch::randint(0, words, {steps}, torch::kLong), lengths)};
}

/// Reads numbers as they are.
struct NumbersModel : torch::nn::Module {
  explicit NumbersModel(const std::string&) {
    register_module("network", network);
    register_module("linear", linear);
    register_module("of_whole", of_whole);
  }

  nn::GRU network = nn::GRU(6, 8);
  torch::nn::Linear linear = torch::nn::Linear(8, words);
  torch::nn::Linear of_whole = torch::nn::Linear(8, 2);
};

/// A model that begins with other numbers on each rank, unless its replica sets that right.
template <class Model>
std::shared_ptr<Model> make_model(const std::string& kind, std::int64_t rank) {
  const std::lock_guard lock(random_numbers);
  torch::manual_seed(static_cast<std::uint64_t>(rank) + 1);
  return std::make_shared<Model>(kind);
}

inline at::Tensor weights_of(const torch::nn::Module& model) {
  std::vector<at::Tensor> all;
  for (const auto& parameter : model.parameters()) all.push_back(parameter.detach().flatten());
  return at::cat(all);
}

/// What `step(model, batch)` gives: the sum of losses, and how many they are.
struct Loss {
  at::Tensor sum;
  std::int64_t count;
};

inline const auto summed = torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kSum);

/// The loss of predicting each word's next, counted in words.
inline Loss next_words(Model& model, const data::PackedBatch& batch) {
  const auto scores = model.linear(model.encode(batch.input).data());
  return {torch::nn::functional::cross_entropy(scores, batch.token_target.data(), summed),
          batch.token_target.data().size(0)};
}

/// The loss of telling each document's label, counted in documents.
inline Loss labels(Model& model, const data::PackedBatch& batch) {
  const auto scores = model.linear(max_pool(model.encode(batch.input)));
  return {torch::nn::functional::cross_entropy(scores, batch.target, summed),
          batch.target.ne(data::ignored_label).sum().item<std::int64_t>()};
}

/// The loss of telling each step's label and the numbers of the whole, counted in steps.
inline Loss steps_and_whole(NumbersModel& model, const data::PackedBatch& batch) {
  const auto output = model.network(batch.input).output;
  const auto of_steps =
      torch::nn::functional::cross_entropy(model.linear(output.data()), batch.token_target.data(), summed);
  const auto known = batch.documents.ge(0).nonzero().squeeze(1);  // none on a rank without documents
  const auto of_whole = model.of_whole(max_pool(output)) - batch.target;
  return {of_steps + of_whole.index_select(0, known).square().sum(), batch.token_target.data().size(0)};
}

/// Takes 30 steps, over several epochs, and gives the weights and the mean loss of the last step.
template <class Model, class Collate>
std::pair<at::Tensor, double> train(const std::string& kind, const data::Documents& documents,
                                    distributed::Communicator& communicator, Collate collate,
                                    Loss (*step)(Model&, const data::PackedBatch&)) {
  const auto model = make_model<Model>(kind, communicator.rank());
  distributed::Replica replica(*model, communicator);
  torch::optim::SGD optimizer(model->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  const data::BatchSampler sampler(documents.sequences.lengths(), data::TokenBudget{.max_tokens = 64}, {.seed = 3});
  const auto loader = torch::data::make_data_loader(data::DocumentDataset(documents).map(std::move(collate)),
                                                    distributed::Shard(sampler, communicator), 1);
  double mean = 0;
  for (int steps = 0; steps < 30;) {
    for (auto& batch : *loader) {
      optimizer.zero_grad();
      const Loss loss = step(*model, batch);
      loss.sum.backward();
      mean = replica.reduce(loss.sum.item<double>(), loss.count);
      optimizer.step();
      if (++steps == 30) break;
    }
  }
  return {weights_of(*model), mean};
}

/// Trains all kinds of networks on all ranks: the weights are the same to the last bit on all of them, and but for
/// rounding those of a process that has trained alone.
inline void expect_trains_as_alone(distributed::Communicator& communicator) {
  distributed::Alone alone;
  const auto expect_same = [&](const auto& together, const auto& by_itself, const std::string& what) {
    const std::string bits(static_cast<const char*>(together.first.const_data_ptr()), together.first.nbytes());
    for (const std::string& other : communicator.gather(bits)) EXPECT_TRUE(other == bits) << what;
    const double difference = (together.first - by_itself.first).abs().max().template item<double>();
    EXPECT_LE(difference, 1e-6) << what;
    EXPECT_NEAR(together.second, by_itself.second, 1e-6) << what;
    if (communicator.rank() == 0) {
      std::cout << what << ", " << communicator.size() << " ranks: " << difference << " from one process\n";
    }
  };
  const auto expect_same_training = [&](const std::string& kind, const std::string& what, const auto& documents,
                                        const auto& collate, const auto& step) {
    expect_same(train(kind, documents, communicator, collate, step), train(kind, documents, alone, collate, step),
                kind + ", " + what);
  };
  for (const std::string& kind : network_kinds) {
    expect_same_training(kind, "next words", random_documents(), data::PackNextToken(), next_words);
    expect_same_training(kind, "labels", random_documents(), data::Pack(), labels);
  }
  expect_same_training("GRU", "numbers", documents_of_numbers(), data::Pack(), steps_and_whole);
}

}  // namespace packseq::test
