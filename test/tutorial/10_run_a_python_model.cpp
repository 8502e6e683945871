// Step 10. Running a network that was trained in Python: 10_python_model.py has saved it in a folder.
#include <torch/nn/module.h>
#include <torch/nn/modules/rnn.h>

#include <cstdint>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "packseq/packseq.hpp"

const std::vector<std::string> tags = {"article", "noun", "verb"};

// The same network as in Python; its parts are registered under the names that they have there.
struct Tagger : torch::nn::Module {
  explicit Tagger(std::int64_t words)
      : embedding(words, 8), lstm(torch::nn::LSTMOptions(8, 16).bidirectional(true)), linear(32, 3) {
    register_module("embedding", embedding);
    register_module("lstm", lstm);
    register_module("linear", linear);
  }

  // Each part takes and returns a packed batch; the LSTM also returns its final state.
  packseq::PackedSequence forward(const packseq::PackedSequence& ids) { return linear(lstm(embedding(ids)).output); }

  packseq::nn::Embedding embedding;
  packseq::nn::LSTM lstm;
  packseq::nn::Linear linear;
};

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "First: python3 10_python_model.py FOLDER\nThen:  10_run_a_python_model FOLDER\n";
    return 1;
  }
  const std::filesystem::path folder = argv[1];

  // The words have the indices that they had in Python: specials get the first ones, in their order.
  const auto words = packseq::read_documents(folder / "words.txt");
  const auto vocab = packseq::Vocab::build({}, {.specials = words});

  // The weights. Whatever is missing, left over or of another size is told, and nothing loaded.
  Tagger tagger(vocab.size());
  packseq::nn::load_state_dict(tagger, packseq::nn::read_state_dict(folder / "tagger.pt"));
  tagger.eval();

  const std::vector<std::string> sentences = {"everybody cut the apple", "a child saw the saw", "the cut"};
  const auto scores = tagger.forward(packseq::pack_sequence(packseq::encode(sentences, vocab)));
  const auto best = packseq::map(scores, [](const torch::Tensor& data) { return data.argmax(1); });
  const auto best_of_each = packseq::unpack_sequence(best);

  // The Python program prints the same.
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    std::istringstream sentence(sentences[i]);
    const auto indices = best_of_each[static_cast<std::int64_t>(i)];
    std::string word;
    for (std::int64_t step = 0; sentence >> word; ++step) {
      const auto tag = indices[step].item<std::int64_t>();
      std::cout << (step > 0 ? " " : "") << word << '/' << tags[static_cast<std::size_t>(tag)];
    }
    std::cout << '\n';
  }
}
