// Writing text with the model that train_language_model has trained, a word at a time.
//
//   train_language_model --checkpoint FILE TEXT...
//   generate_text --checkpoint FILE [--seed N] [--precision NAME] TEXT...
//
// Each word is drawn from the scores that the word before it led to, so that the network runs one step a call. Most of
// the time of such a call goes into the weights; frozen, they are packed only once.
#include <torch/optim/adam.h>

#include <cmath>
#include <cstdint>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "packseq/packseq.hpp"
#include "training/language_model.hpp"
#include "training/options.hpp"

constexpr std::int64_t longest = 40;

// Some sentences, written side by side: each step is a batch of one word of each, from the state of the step before.
std::vector<std::string> write_sentences(LanguageModel& model, const packseq::Vocab& vocab, std::int64_t count) {
  std::vector<std::string> sentences(static_cast<std::size_t>(count));
  std::vector<bool> done(sentences.size());
  torch::Tensor words = torch::full({count, 1}, vocab.id("<s>"), torch::kLong);
  packseq::nn::State state;
  for (std::int64_t step = 0; step < longest; ++step) {
    const auto ids = packseq::pack_sequence(words.unbind());
    const auto [output, next] = model.lstm(model.embedding(ids), state);
    state = next;
    const auto scores = model.linear(output).data();
    scores.select(1, *vocab.unknown_id()).fill_(-INFINITY);  // there is no such word
    words = torch::multinomial(scores.softmax(1), 1);
    for (std::size_t i = 0; i < sentences.size(); ++i) {
      const auto word = std::string(vocab.token(words[static_cast<std::int64_t>(i)].item<std::int64_t>()));
      done[i] = done[i] || word == "</s>";
      if (!done[i]) sentences[i] += (sentences[i].empty() ? "" : " ") + word;
    }
  }
  return sentences;
}

int main(int argc, char** argv) {
  try {
    const auto options = parse_training_options({argv + 1, argv + argc});
    if (options.checkpoint.empty()) throw std::invalid_argument("--checkpoint is missing");
    check_files(options);
    const auto vocab = build_sentence_vocab(options.files);
    LanguageModel model(vocab.size());
    torch::optim::Adam optimizer(model.parameters());  // the checkpoint holds its state, too
    packseq::data::Checkpoint(options.checkpoint, model, optimizer).load();
    model.eval();

    const torch::NoGradGuard no_grad;
    model.lstm->precision = options.precision;
    model.lstm->freeze();
    at::manual_seed(options.seed);
    for (const std::int64_t count : {1, 5}) {
      std::cout << (count == 1 ? "Alone:\n" : "In a batch:\n");
      for (const auto& sentence : write_sentences(model, vocab, count)) std::cout << "  " << sentence << '\n';
    }
    check_output();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "generate_text: " << reason_of(error)
              << "\nUsage: generate_text --checkpoint FILE [--seed N] [--precision NAME] TEXT...\n";
    return 1;
  }
}
