#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "packseq/packseq.hpp"

// The model that train_language_model trains, and with which generate_text writes.

/// Words between two marks, so that the first word is predicted too, and the end.
inline void split_sentence(std::string_view document, const packseq::TokenSink& emit) {
  emit("<s>");
  packseq::split_words(document, emit);
  emit("</s>");
}

/// The words that come five times or more.
inline packseq::Vocab build_sentence_vocab(const std::vector<std::filesystem::path>& files) {
  return packseq::data::build_vocab(
      files, {}, {.specials = {"<pad>", "<unk>"}, .unknown = "<unk>", .tokenizer = split_sentence, .min_frequency = 5});
}

/// A vector for each word, an LSTM, and from each of its outputs a score for every word that may come next.
struct LanguageModel : torch::nn::Module {
  explicit LanguageModel(std::int64_t words)
      : embedding(words, 128), dropout(0.2), lstm(torch::nn::LSTMOptions(128, 128)), linear(128, words) {
    register_module("embedding", embedding);
    register_module("dropout", dropout);
    register_module("lstm", lstm);
    register_module("linear", linear);
  }

  packseq::PackedSequence forward(const packseq::PackedSequence& ids) {
    return linear(dropout(lstm(dropout(embedding(ids))).output));
  }

  packseq::nn::Embedding embedding;
  packseq::nn::Dropout dropout;
  packseq::nn::LSTM lstm;
  packseq::nn::Linear linear;
};
