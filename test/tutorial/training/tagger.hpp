#pragma once

#include <ATen/ops/_unique2.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/embedding.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "packseq/packseq.hpp"
#include "tagger_text.hpp"

// The tagger that train_tagger trains.

/// Names as tensors, so that checkpoints hold them: of a vocabulary, a token on each line.
inline std::map<std::string, at::Tensor> to_tensors(const TaggerNames& names) {
  const auto lines = [](const packseq::Vocab& vocab) {
    std::vector<std::uint8_t> text;
    for (const auto& token : tokens_of(vocab)) {
      text.insert(text.end(), token.begin(), token.end());
      text.push_back('\n');
    }
    return torch::tensor(text, torch::kByte);
  };
  return {{"words", lines(names.words)},
          {"characters", lines(names.characters)},
          {"labels", lines(names.labels)},
          {"scheme", torch::tensor(names.scheme ? static_cast<std::int64_t>(*names.scheme) : -1)}};
}

/// And back.
inline TaggerNames to_names(std::map<std::string, at::Tensor> tensors) {
  const auto vocab = [&](const std::string& name, packseq::VocabOptions options) {
    const auto& tensor = tensors.at(name);
    const std::string text(static_cast<const char*>(tensor.data_ptr()), static_cast<std::size_t>(tensor.numel()));
    options.specials.clear();
    packseq::split_lines(text, [&options](std::string_view token) { options.specials.emplace_back(token); });
    return packseq::Vocab::build(std::vector<std::string>(), options);
  };
  TaggerNames names{.words = vocab("words", {.unknown = "<unk>"}),
                    .characters = vocab("characters", {.unknown = "<unk>", .tokenizer = packseq::split_characters}),
                    .labels = vocab("labels", {}),
                    .scheme = {}};
  const auto scheme = tensors.at("scheme").item<std::int64_t>();
  if (scheme >= 0) names.scheme = static_cast<packseq::TagScheme>(scheme);
  return names;
}

/// For each word two vectors side by side, its own and one of its characters, which two LSTMs read from both ends; an
/// LSTM that reads the sentence both ways; a score for each label of each token; and a CRF that knows which labels
/// follow which.
struct Tagger : torch::nn::Module {
  explicit Tagger(const TaggerNames& of)
      : names(of),
        word(names.words.size(), 100),
        spelling(packseq::nn::Embedding(names.characters.size(), 32),
                 packseq::nn::LSTM(torch::nn::LSTMOptions(32, 32).bidirectional(true))),
        dropout(0.3),
        lstm(torch::nn::LSTMOptions(100 + 2 * 32, 128).bidirectional(true)),
        linear(2 * 128, names.labels.size()),
        crf(names.scheme ? packseq::nn::CRFOptions(names.labels, *names.scheme)
                         : packseq::nn::CRFOptions(names.labels.size())) {
    register_module("word", word);
    register_module("spelling", spelling);
    register_module("dropout", dropout);
    register_module("lstm", lstm);
    register_module("linear", linear);
    register_module("crf", crf);
    for (const auto& [name, tensor] : to_tensors(names)) register_buffer(name, tensor);
  }

  /// Chooses who runs networks and CRF.
  void run_in(packseq::engine::Choice engine, packseq::engine::Precision precision) {
    for (auto* const network : {&spelling->network, &lstm}) {
      (*network)->engine = engine;
      (*network)->precision = precision;
    }
    crf->engine = engine;
  }

  /// Of a batch of `text`, the scores of each token's labels.
  packseq::PackedSequence forward(const packseq::PackedSequence& tokens, const TaggerText& text) {
    // Each different word of the batch is read once.
    const auto [forms, places, counts] = at::_unique2(tokens.data(), /*sorted=*/true, /*return_inverse=*/true);
    const auto* const first = forms.data_ptr<std::int64_t>();
    const std::vector<std::size_t> chosen(first, first + forms.numel());
    const auto characters = packseq::pack_sequence(packseq::data::select({text.spellings}, chosen).sequences);
    const auto spelled = packseq::last_step(spelling(characters).output, {.bidirectional = true});
    const auto known = word(text.words.index_select(0, forms));
    const auto rows = torch::cat({known, spelled}, 1).index_select(0, places);
    const auto output = lstm(dropout(packseq::with_data(tokens, rows))).output;
    return linear(dropout(output));
  }

  const TaggerNames names;
  torch::nn::Embedding word;
  packseq::nn::EmbeddedLSTM spelling;
  packseq::nn::LockedDropout dropout;
  packseq::nn::LSTM lstm;
  packseq::nn::Linear linear;
  packseq::nn::CRF crf;
};

/// Whether these are macro F1 and accuracy of a tagger; they are less than 0 before the first epoch's end.
inline bool is_score(const at::Tensor& best_score) { return best_score.ge(0).all().item<bool>(); }

/// What is kept of training: the tagger as it is, and as it was when it was best.
struct Training : torch::nn::Module {
  explicit Training(const TaggerNames& names)
      : tagger(register_module("tagger", std::make_shared<Tagger>(names))),
        best(register_module("best", std::make_shared<Tagger>(names))),
        best_score(register_buffer("best_score", torch::full({2}, -1, torch::kDouble))) {
    packseq::nn::load_state_dict(*best, packseq::nn::state_dict(*tagger));
  }

  void keep_if_best(const packseq::data::SpanMetrics& metrics) {
    const std::pair score(metrics.macro().f1, metrics.token_accuracy());
    if (score <= std::pair(best_score[0].item<double>(), best_score[1].item<double>())) return;
    best_score[0] = score.first;
    best_score[1] = score.second;
    packseq::nn::load_state_dict(*best, packseq::nn::state_dict(*tagger));
  }

  std::shared_ptr<Tagger> tagger, best;
  at::Tensor best_score;  ///< Macro F1 and accuracy.
};

/// A tensor of a checkpoint of train_tagger, of which these are the weights.
/// @throws std::runtime_error if it has none of this name.
inline at::Tensor tensor_in(const packseq::nn::StateDict& weights, const std::filesystem::path& file,
                            const std::string& name) {
  const auto* const tensor = weights.find(name);
  if (tensor != nullptr) return *tensor;
  throw std::runtime_error(file.string() + " is a checkpoint of another program: give one that train_tagger has saved");
}

/// The names in a checkpoint.
/// @throws std::runtime_error if there are none.
inline TaggerNames names_in(const packseq::nn::StateDict& weights, const std::filesystem::path& file) {
  std::map<std::string, at::Tensor> tensors;
  for (const auto* const name : {"words", "characters", "labels", "scheme"}) {
    tensors[name] = tensor_in(weights, file, "best." + std::string(name));
  }
  return to_names(tensors);
}

/// The tagger that a checkpoint holds, as it was when it was best.
/// @throws std::runtime_error if no epoch has ended yet: all that there is to be the best are initial weights.
inline std::shared_ptr<Tagger> load_best_tagger(const std::filesystem::path& file) {
  const auto weights = packseq::data::Checkpoint::weights(file);
  auto tagger = std::make_shared<Tagger>(names_in(weights, file));
  if (!is_score(tensor_in(weights, file, "best_score"))) {
    throw std::runtime_error(file.string() + " was saved before the first epoch's end, and holds no trained tagger " +
                             "yet: go on with --checkpoint " + file.string() + " TRAIN DEV");
  }
  packseq::nn::load_state_dict(*tagger, weights, {.prefix = "best."});
  return tagger;
}

/// Refuses a checkpoint of a tagger for other names.
inline void check_names(const std::filesystem::path& file, const TaggerNames& names) {
  const auto kept = to_tensors(names_in(packseq::data::Checkpoint::weights(file), file));
  for (const auto& [name, tensor] : to_tensors(names)) {
    if (torch::equal(kept.at(name), tensor)) continue;
    throw std::runtime_error(file.string() + " was trained on another TRAIN, with other " + name +
                             ": give that one, or another --checkpoint");
  }
}
