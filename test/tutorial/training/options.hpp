#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

/// What a training program is told on its command line.
struct TrainingOptions {
  std::int64_t epochs = 2;           ///< Passes through all documents.
  std::filesystem::path checkpoint;  ///< Where training is kept, and goes on from; empty: nowhere.
  std::size_t workers = 0;           ///< Threads that make batches; 0 makes them in between.
  std::vector<std::filesystem::path> files;
};

constexpr auto training_usage =
    "[--epochs N] [--checkpoint FILE] [--workers N] FILE...\n"
    "  FILE               texts, each line a document\n"
    "  --epochs N         passes through all of them (2)\n"
    "  --checkpoint FILE  keep training in this file, and go on from it if it is there\n"
    "  --workers N        threads that make batches (0)\n";

/// @throws std::invalid_argument, naming the word, if one is not understood.
inline TrainingOptions parse_training_options(const std::vector<std::string>& words) {
  TrainingOptions options;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (!word.starts_with("--")) {
      options.files.emplace_back(word);
      continue;
    }
    if (i + 1 == words.size()) throw std::invalid_argument(word + " is the last word: it needs a value, or is none");
    const std::string& value = words[++i];
    const bool is_number = !value.empty() && value.size() < 10 && value.find_first_not_of("0123456789") == value.npos;
    if (word == "--checkpoint") {
      options.checkpoint = value;
    } else if (word != "--epochs" && word != "--workers") {
      throw std::invalid_argument(word + " is no option");
    } else if (!is_number) {
      throw std::invalid_argument(word + " is " + value + ", and must be a number, 0 or more");
    } else if (word == "--epochs") {
      options.epochs = std::stoll(value);
    } else {
      options.workers = std::stoul(value);
    }
  }
  if (options.files.empty()) throw std::invalid_argument("a FILE is missing");
  return options;
}
