// Step 13. An encoder whose last state conditions a decoder: from sequences to sequences of another length.
#include <ATen/Context.h>
#include <torch/nn/modules/loss.h>
#include <torch/optim/adam.h>

#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include "packseq/packseq.hpp"

namespace nn = packseq::nn;

// Reads one sequence and writes another: what the encoder knows at the end goes into each step of the decoder.
struct Translator : torch::nn::Module {
  Translator(std::int64_t symbols, std::int64_t words)
      : symbol(symbols, 8),
        encoder(torch::nn::GRUOptions(8, 24)),
        word(words, 8),
        decoder(torch::nn::GRUOptions(8 + 24, 24)),
        linear(24, words) {
    register_module("symbol", symbol);
    register_module("encoder", encoder);
    register_module("word", word);
    register_module("decoder", decoder);
    register_module("linear", linear);
  }

  // A row for each sequence, in the caller's order: [B, 24].
  torch::Tensor encode(const packseq::PackedSequence& source) {
    return packseq::last_step(encoder(symbol(source)).output);
  }

  // Scores of the next word at each step, and the decoder's state. The two batches have layouts of their own; the rows
  // are in the caller's order, and find their places by spread.
  nn::Result decode(const packseq::PackedSequence& written, const torch::Tensor& encoded, const nn::State& state = {}) {
    const auto condition = packseq::spread(written, encoded);
    const auto input = packseq::map(word(written), condition, [](const auto& a, const auto& b) {
      return torch::cat({a, b}, /*dim=*/1);
    });
    const auto result = decoder(input, state);
    return {linear(result.output), result.state};
  }

  nn::Embedding symbol;
  nn::GRU encoder;
  nn::Embedding word;
  nn::GRU decoder;
  nn::Linear linear;
};

// Writes a name for each sequence, a word at a time, the likeliest each time, until <end>.
std::vector<std::string> write(Translator& model, const torch::Tensor& encoded, const packseq::Vocab& words) {
  const torch::NoGradGuard no_grad;
  std::vector<std::string> names(static_cast<std::size_t>(encoded.size(0)));
  std::vector<bool> done(names.size(), false);
  auto last = torch::full({encoded.size(0)}, words.id("<begin>"), torch::kLong);
  nn::State state;
  for (int step = 0; step < 6; ++step) {
    const auto one_each = packseq::Jagged::from_values(last, torch::ones_like(last));
    const auto result = model.decode(packseq::pack_sequence(one_each), encoded, state);
    state = result.state;
    last = packseq::unpack_sequence(result.output).values().argmax(1);
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string word(words.token(last[static_cast<std::int64_t>(i)].item<std::int64_t>()));
      done[i] = done[i] || word == "<end>";
      if (!done[i]) names[i] += (names[i].empty() ? "" : " ") + word;
    }
  }
  return names;
}

int main() {
  // Figures are read character by character; names are written word by word, from <begin> to <end>.
  const std::vector<std::string> figures = {"7", "40", "205", "13", "99", "512", "8", "31"};
  const std::vector<std::string> names = {"seven",    "forty",       "two hundred and five",
                                          "thirteen", "ninety nine", "five hundred and twelve",
                                          "eight",    "thirty one"};
  const auto symbols = packseq::Vocab::build(figures, {.tokenizer = packseq::split_characters});
  const auto words = packseq::Vocab::build(names, {.specials = {"<pad>", "<begin>", "<end>"}});
  const auto source = packseq::pack_sequence(packseq::encode(figures, symbols));
  std::vector<torch::Tensor> written, next;
  for (const auto& name : packseq::encode(names, words).unbind()) {
    written.push_back(torch::cat({torch::tensor({words.id("<begin>")}), name}));
    next.push_back(torch::cat({name, torch::tensor({words.id("<end>")})}));
  }
  const auto input = packseq::pack_sequence(written);
  const auto target = packseq::pack_like(input, next);  // the next word in the row of each

  at::manual_seed(1);
  Translator model(symbols.size(), words.size());
  torch::optim::Adam optimizer(model.parameters(), torch::optim::AdamOptions(0.01));
  for (int step = 0; step < 150; ++step) {
    optimizer.zero_grad();
    const auto scores = model.decode(input, model.encode(source)).output;
    packseq::data::token_loss(scores, target, torch::nn::CrossEntropyLoss()).backward();
    optimizer.step();
  }

  const torch::NoGradGuard no_grad;
  const auto encoded = model.encode(source);
  const auto answers = write(model, encoded, words);
  for (std::size_t i = 0; i < figures.size(); ++i) std::cout << figures[i] << ": " << answers[i] << '\n';

  // Each batch has its own order, the longest first: rows must find their places by document.
  std::cout << "\nThe order of the figures, longest first\n" << source.sorted_indices().view({1, -1});
  std::cout << "\nThe order of their names\n" << input.sorted_indices().view({1, -1}) << '\n';

  // What spread does, by hand: repeat each row for as many steps as the longest name has, and pack.
  const auto lengths = packseq::lengths(input);
  const auto steps = lengths.max().item<std::int64_t>();
  const auto repeated = encoded.unsqueeze(1).expand({encoded.size(0), steps, encoded.size(1)});
  const auto by_hand = packseq::pack_padded_sequence(repeated, lengths, {.batch_first = true});
  std::cout << "\nBy hand the same: " << std::boolalpha
            << torch::equal(packseq::spread(input, encoded).data(), by_hand.data()) << '\n';
}
