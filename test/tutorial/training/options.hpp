#pragma once

#include <c10/util/Exception.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "packseq/engine/precision.hpp"

/// What a training program is told on its command line.
struct TrainingOptions {
  std::int64_t epochs = 2;                ///< Passes through all documents.
  std::filesystem::path checkpoint = {};  ///< Where training is kept, and goes on from; empty: nowhere.
  std::size_t workers = 0;                ///< Threads that make batches; 0 makes them in between.
  std::uint64_t seed = 1;                 ///< Of first weights, of what drops out, and of the order of documents.
  /// Of the network's products.
  packseq::engine::Precision precision = packseq::engine::Precision::float32;
  std::vector<std::filesystem::path> files = {};
  std::map<std::string, std::string> own = {};  ///< What this program alone is told, by its option's name.
};

constexpr auto training_usage =
    "[--epochs N] [--checkpoint FILE] [--workers N] [--seed N] [--precision NAME] FILE...\n"
    "  FILE               texts, each line a document\n"
    "  --epochs N         passes through all of them (2)\n"
    "  --checkpoint FILE  keep training in this file, and go on from it if it is there\n"
    "  --workers N        threads that make batches (0)\n"
    "  --seed N           of first weights, of what drops out, and of the order of documents (1)\n"
    "  --precision NAME   of the network's products: float32 or bfloat16 (float32)\n";

/// @throws std::invalid_argument if it is neither.
inline packseq::engine::Precision parse_precision(const std::string& name) {
  if (name == "float32") return packseq::engine::Precision::float32;
  if (name == "bfloat16") return packseq::engine::Precision::bfloat16;
  throw std::invalid_argument("--precision is " + name + ", and must be float32 or bfloat16");
}

/// What the words say, and `options` where they say nothing; options of its own a program lists in `options.own`.
/// @throws std::invalid_argument, naming the word, if one is not understood.
inline TrainingOptions parse_training_options(const std::vector<std::string>& words, TrainingOptions options = {}) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (!word.starts_with("--")) {
      options.files.emplace_back(word);
      continue;
    }
    if (i + 1 == words.size()) throw std::invalid_argument(word + " is the last word: it needs a value, or is none");
    const std::string& value = words[++i];
    const bool is_number = !value.empty() && value.size() < 10 && value.find_first_not_of("0123456789") == value.npos;
    if (options.own.contains(word)) {
      options.own[word] = value;
    } else if (word == "--checkpoint") {
      options.checkpoint = value;
    } else if (word == "--precision") {
      options.precision = parse_precision(value);
    } else if (word != "--epochs" && word != "--workers" && word != "--seed") {
      throw std::invalid_argument(word + " is no option");
    } else if (!is_number) {
      throw std::invalid_argument(word + " is " + value + ", and must be a number, 0 or more");
    } else if (word == "--epochs") {
      options.epochs = std::stoll(value);
    } else if (word == "--seed") {
      options.seed = std::stoull(value);
    } else {
      options.workers = std::stoul(value);
    }
  }
  return options;
}

/// @throws std::invalid_argument if there is none.
inline void check_files(const TrainingOptions& options) {
  if (options.files.empty()) throw std::invalid_argument("a FILE is missing");
}

/// @throws std::runtime_error if not all that a program has printed is where it should be, as on a full disk.
inline void check_output() {
  if (!std::cout.flush()) throw std::runtime_error("standard output cannot be written");
}

/// What went wrong, without the addresses that LibTorch adds.
inline std::string reason_of(const std::exception& error) {
  const auto* const of_torch = dynamic_cast<const c10::Error*>(&error);
  return of_torch != nullptr ? of_torch->what_without_backtrace() : error.what();
}
