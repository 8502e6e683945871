#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "packseq/packseq.hpp"
#include "tags.hpp"

// The texts that train_tagger reads, and what its tagger knows by name.

/// What a tagger was made for, known from its training text.
struct TaggerNames {
  packseq::Vocab words;       ///< Those that come twice or more; all others are "<unk>", and known by characters alone.
  packseq::Vocab characters;  ///< Those of two different words or more.
  packseq::Vocab labels;
  std::optional<packseq::TagScheme> scheme;  ///< What the labels of all sentences keep to, if they are of spans.
};

/// Sentences, and the different words in them.
struct TaggerText {
  packseq::Vocab forms;                ///< The different words.
  packseq::data::Documents sentences;  ///< Of ids in `forms`.
  at::Tensor words;                    ///< The id of each form in the tagger's words,
  packseq::Jagged spellings;           ///< and those of its characters.
};

/// What there is to know in the text to train with.
inline TaggerNames read_names(const std::filesystem::path& file, const packseq::data::TokenColumns& columns) {
  namespace data = packseq::data;
  const data::TextReaderOptions text = {.token_columns = columns};
  const auto forms = data::build_vocab({file}, text, {.specials = {}});
  const auto labels = data::build_labels({file}, text);
  const auto sentences = data::read_documents({file}, text, forms, labels);
  return {.words = data::build_vocab({file}, text, {.specials = {"<unk>"}, .unknown = "<unk>", .min_frequency = 2}),
          .characters = packseq::Vocab::build(
              tokens_of(forms),
              {.specials = {"<unk>"}, .unknown = "<unk>", .tokenizer = packseq::split_characters, .min_frequency = 2}),
          .labels = labels,
          .scheme = find_scheme(labels, *sentences.token_labels)};
}

/// A text with its labels, or without where `columns` has none.
inline TaggerText read_text(const std::filesystem::path& file, const packseq::data::TokenColumns& columns,
                            const TaggerNames& names, const std::optional<packseq::Vocab>& labels = {}) {
  const packseq::data::TextReaderOptions text = {.token_columns = columns};
  const auto forms = packseq::data::build_vocab({file}, text, {.specials = {}});
  const auto sentences = packseq::data::read_documents({file}, text, forms, labels);
  const auto spelled = tokens_of(forms);
  std::vector<std::int64_t> words;
  for (const auto& form : spelled) words.push_back(names.words.id(form));
  return {forms, sentences, torch::tensor(words), packseq::encode(spelled, names.characters)};
}

/// The labels that a tagger knows, and behind them those that the file has besides, which it cannot find.
/// @throws std::runtime_error if the tagger's are tags of spans, and one of the file's is none.
inline packseq::Vocab read_labels(const std::filesystem::path& file, const packseq::data::TokenColumns& columns,
                                  const TaggerNames& names) {
  packseq::data::ColumnReader reader(file, columns);
  packseq::DocumentSource labels = [&]() -> std::optional<std::string_view> {
    const auto sentence = reader.next();
    if (!sentence) return std::nullopt;
    packseq::split_lines(sentence->labels, [&](std::string_view label) {
      if (!names.scheme || is_tag(label)) return;
      throw std::runtime_error(file.string() + ", sentence at line " + std::to_string(reader.line()) +
                               ": the label \"" + std::string(label) +
                               "\" is no tag of spans, as all of TRAIN's are: " +
                               "it must be \"O\", or B, I, E or S, alone or with \"-\" and a type behind it");
    });
    return sentence->labels;
  };
  return packseq::Vocab::build(labels, {.specials = tokens_of(names.labels), .tokenizer = packseq::split_lines});
}

/// What is to be learnt, and from what.
struct TaggerTask {
  TaggerNames names;
  TaggerText train;
  TaggerText dev;
  packseq::Vocab dev_labels;  ///< As of `read_labels`.
};

/// Reads both texts, and tells what is in them.
inline TaggerTask read_task(const std::filesystem::path& train, const std::filesystem::path& dev,
                            const packseq::data::TokenColumns& columns, std::ostream& output) {
  const auto names = read_names(train, columns);
  const auto dev_labels = read_labels(dev, columns, names);
  TaggerTask task{.names = names,
                  .train = read_text(train, columns, names, names.labels),
                  .dev = read_text(dev, columns, names, dev_labels),
                  .dev_labels = dev_labels};
  const auto& sentences = task.train.sentences;
  output << sentences.sequences.size() << " sentences, " << sentences.sequences.values().size(0) << " tokens, "
         << task.train.forms.size() << " different words, " << names.labels.size()
         << (names.scheme ? " labels of spans\n" : " labels\n");
  const auto known = names.labels.size();
  const auto unknown = task.dev.sentences.token_labels->values().ge(known).sum().item<std::int64_t>();
  if (unknown > 0) {
    output << unknown << " tokens of DEV have labels that TRAIN has not, and count as wrong:";
    for (auto label = known; label < dev_labels.size(); ++label) output << ' ' << dev_labels.token(label);
    output << '\n';
  }
  return task;
}

/// The labels of DEV if each word has the one that it has most often in TRAIN; a word that is not there, the one that
/// is most frequent of all.
inline packseq::Jagged most_frequent_labels(const TaggerTask& task) {
  const auto& seen = task.train.sentences;
  const auto known = task.train.forms.size();
  const auto labels = task.names.labels.size();
  auto counts =
      torch::bincount(seen.sequences.values() * labels + seen.token_labels->values(), {}, (known + 1) * labels)
          .view({known + 1, labels});
  counts[known] = counts.sum(0);
  std::vector<std::int64_t> rows;
  for (const auto& form : tokens_of(task.dev.forms)) rows.push_back(task.train.forms.find(form).value_or(known));
  const auto label = counts.argmax(1).index_select(0, torch::tensor(rows));
  const auto& words = task.dev.sentences.sequences;
  return packseq::Jagged::from_values(label.index_select(0, words.values()), words.lengths());
}
