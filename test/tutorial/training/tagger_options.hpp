#pragma once

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "options.hpp"
#include "packseq/data/column_reader.hpp"
#include "packseq/engine/supports.hpp"

/// What train_tagger is told on its command line.
struct TaggerOptions {
  TrainingOptions training;  ///< `files` are TRAIN and DEV, or none where there is a text to label.
  packseq::data::TokenColumns columns;
  std::filesystem::path predict;  ///< The text to label; empty: none.
  packseq::engine::Choice engine = packseq::engine::Choice::automatic;
};

constexpr auto tagger_usage =
    "[--checkpoint FILE] [--epochs N] TRAIN DEV\n"
    "       train_tagger --checkpoint FILE --predict TEXT\n"
    "  TRAIN, DEV         column files: a word and its label on each line, blank lines between sentences\n"
    "  --checkpoint FILE  keep training in this file, and go on from it if it is there\n"
    "  --epochs N         passes through TRAIN (10)\n"
    "  --predict TEXT     write the words of this column file, each with its label, to standard output; TRAIN and DEV\n"
    "                     are left out if there is nothing to be trained any more\n"
    "  --word N           the words' column, from 1; -1 is the last one (1)\n"
    "  --label N          the labels' (-1)\n"
    "  --format NAME      of all files: plain, or conll_u, with --word 2 --label 4 (plain)\n"
    "  --workers N        threads that make batches (0)\n"
    "  --seed N           of first weights, of what drops out, and of the order of sentences (1)\n"
    "  --precision NAME   of the networks' products: float32 or bfloat16 (float32)\n"
    "  --engine NAME      what runs networks and CRF: packseq or libtorch, to compare (packseq)\n";

/// @throws std::invalid_argument if `own[name]` is no integer.
inline std::int64_t parse_column(const TrainingOptions& options, const std::string& name) {
  const std::string& value = options.own.at(name);
  std::int64_t column = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), column);
  if (error == std::errc() && end == value.data() + value.size()) return column;
  throw std::invalid_argument(name + " is " + value + ", and must be a column: 1 or more, or -1 for the last one");
}

/// Whether `own[name]` is the second of two words.
/// @throws std::invalid_argument if it is neither.
inline bool is_second(const TrainingOptions& options, const std::string& name, const std::string& first,
                      const std::string& second) {
  const std::string& value = options.own.at(name);
  if (value == first || value == second) return value == second;
  throw std::invalid_argument(name + " is " + value + ", and must be " + first + " or " + second);
}

/// @throws std::invalid_argument, naming the word, if one is not understood.
inline TaggerOptions parse_tagger_options(const std::vector<std::string>& words) {
  using packseq::data::ColumnFormat;
  using packseq::engine::Choice;
  const auto training = parse_training_options(
      words,
      {.epochs = 10,
       .own = {{"--predict", ""}, {"--word", "1"}, {"--label", "-1"}, {"--format", "plain"}, {"--engine", "packseq"}}});
  const bool is_conll_u = is_second(training, "--format", "plain", "conll_u");
  const TaggerOptions options{
      .training = training,
      .columns = {.word = parse_column(training, "--word"),
                  .label = parse_column(training, "--label"),
                  .format = is_conll_u ? ColumnFormat::conll_u : ColumnFormat::plain},
      .predict = training.own.at("--predict"),
      .engine = is_second(training, "--engine", "packseq", "libtorch") ? Choice::libtorch : Choice::automatic};
  if (training.files.empty() && !options.predict.empty()) {
    if (training.checkpoint.empty()) throw std::invalid_argument("--predict needs a --checkpoint, or TRAIN and DEV");
  } else if (training.files.size() != 2) {
    throw std::invalid_argument(std::to_string(training.files.size()) + " of two FILEs: TRAIN and DEV must be given");
  }
  return options;
}
