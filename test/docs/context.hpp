#pragma once

#include <gtest/gtest.h>
#include <torch/data.h>
#include <torch/nn.h>
#include <torch/optim.h>
#include <torch/serialize.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "packseq/packseq.hpp"
#include "support/directory.hpp"

// An example may leave a name unused, and call what it makes as the one that it goes on from does.
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-variable"

namespace packseq::test {

/// What examples take for granted: files of these names in the current directory, and on pages a model, and a batch
/// that was tagged. What they print is not shown.
class Example : public DirectoryTest {
 protected:
  Example() : DirectoryTest("packseq_examples", "corpus.txt") {}

  void SetUp() override {
    DirectoryTest::SetUp();
    std::filesystem::current_path(directory_);
    write("on your mark\nget set\n\ngo\n");
    std::filesystem::copy(file_, "larger_than_memory.txt");
    std::ofstream("spam.txt") << "get rich\nget it now\n";
    std::ofstream("ham.txt") << "see you at noon\n";
    std::ofstream("mail.jsonl") << R"({"text": "get rich", "spam": true})" << '\n';
    std::ofstream("labelled.tsv") << "spam\tget rich\nham\tsee you at noon\n";
    std::ofstream("tagged.conll") << "EU NNP I-NP B-ORG\nrejects VBZ I-VP O\n\nGerman JJ I-NP B-MISC\n";
    write_models();
    std::ofstream("glove.txt") << "go 0.5 1 -1\nget 0.25 2 -2\nnoon 0 1 0.5\n";
    std::cout.rdbuf(printed_.rdbuf());
  }

  void TearDown() override {
    std::cout.rdbuf(screen_);
    std::filesystem::current_path(before_);
    DirectoryTest::TearDown();
  }

  torch::nn::Linear model{2, 2};
  torch::optim::SGD optimizer{model->parameters(), 0.1};
  Vocab tags = Vocab::build({"O B-ORG"}, {.specials = {}});
  data::PackedBatch batch{.input = pack_sequence({torch::ones({2})}),
                          .token_target = pack_sequence({torch::tensor({1, 0})})};
  PackedSequence scores = pack_sequence({torch::rand({2, 2})});

 private:
  static void write_models() {
    nn::LSTM lstm(4, 5);
    nn::StateDict weights;
    c10::Dict<std::string, at::Tensor> dict;
    for (const auto& weight : nn::state_dict(*lstm)) {
      weights.insert("encoder.lstm." + weight.key(), weight.value());
      dict.insert(weight.key(), weight.value());
    }
    nn::write_state_dict("model.pt", weights);
    c10::Dict<std::string, c10::Dict<std::string, at::Tensor>> nested;
    nested.insert("model_state_dict", dict);
    const auto bytes = torch::pickle_save(nested);
    std::ofstream("checkpoint.pt", std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    torch::optim::Adam optimizer(lstm->parameters());
    data::Checkpoint("trained.checkpoint", *lstm, optimizer).save({});
  }

  const std::filesystem::path before_ = std::filesystem::current_path();
  std::streambuf* const screen_ = std::cout.rdbuf();
  std::ostringstream printed_;
};

}  // namespace packseq::test

using packseq::test::Example;
