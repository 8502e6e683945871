#pragma once

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
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
    "  --format NAME      of all files: plain; conll_2012, where sentences differ in how many columns they have; or\n"
    "                     conll_u, with --word 2 --label 4 (plain)\n"
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

/// What `own[name]` stands for.
/// @throws std::invalid_argument if it is none of these words.
template <class Value>
Value parse_word(const TrainingOptions& options, const std::string& name,
                 const std::vector<std::pair<std::string, Value>>& values) {
  const std::string& given = options.own.at(name);
  std::string words;
  for (const auto& [word, value] : values) {
    if (given == word) return value;
    if (!words.empty()) words += word == values.back().first ? " or " : ", ";
    words += word;
  }
  throw std::invalid_argument(name + " is " + given + ", and must be " + words);
}

/// @throws std::invalid_argument, naming the word, if one is not understood.
inline TaggerOptions parse_tagger_options(const std::vector<std::string>& words) {
  using packseq::data::ColumnFormat;
  using packseq::engine::Choice;
  const auto training = parse_training_options(
      words,
      {.epochs = 10,
       .own = {{"--predict", ""}, {"--word", "1"}, {"--label", "-1"}, {"--format", "plain"}, {"--engine", "packseq"}}});
  const TaggerOptions options{
      .training = training,
      .columns = {.word = parse_column(training, "--word"),
                  .label = parse_column(training, "--label"),
                  .format = parse_word<ColumnFormat>(training, "--format",
                                                     {{"plain", ColumnFormat::plain},
                                                      {"conll_2012", ColumnFormat::conll_2012},
                                                      {"conll_u", ColumnFormat::conll_u}})},
      .predict = training.own.at("--predict"),
      .engine =
          parse_word<Choice>(training, "--engine", {{"packseq", Choice::automatic}, {"libtorch", Choice::libtorch}})};
  if (training.files.empty() && !options.predict.empty()) {
    if (training.checkpoint.empty()) throw std::invalid_argument("--predict needs a --checkpoint, or TRAIN and DEV");
  } else if (training.files.size() != 2) {
    throw std::invalid_argument(std::to_string(training.files.size()) + " of two FILEs: TRAIN and DEV must be given");
  }
  return options;
}
