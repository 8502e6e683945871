#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "cli/check.hpp"
#include "cli/corpus.hpp"
#include "cli/measure.hpp"
#include "cli/scale.hpp"
#include "cli/terminal.hpp"

namespace packseq::cli {

/// What is to be compared, and how.
struct CompareOptions {
  std::vector<std::filesystem::path> files = {};
  TextOptions text = {};

  std::optional<std::int64_t> batch = {};  ///< Documents in a batch; if not set, 32 or as many as there are.
  std::int64_t max_batches = 8;
  Order order = Order::shuffled;

  cost::Network network = {.input_size = 128, .hidden_size = 256};
  std::vector<cost::Mode> modes = {cost::Mode::inference, cost::Mode::training};
  std::vector<engine::Precision> precisions = {engine::Precision::float32};  ///< Of the engine's products.

  int threads = 0;  ///< 0: as many as LibTorch takes by itself.
  MeasureOptions measure = {};
  ScaleOptions scale = {};
  std::filesystem::path counters = "/sys/class/powercap";  ///< Where Linux has those of energy.
  std::optional<std::filesystem::path> json = {};
};

/// The text, the batches that were run and what came out.
struct Comparison {
  CompareOptions options;  ///< With `batch` and `threads` as they were used.

  std::int64_t documents;
  std::int64_t tokens;
  std::int64_t distinct_tokens;
  Lengths lengths;  ///< Of all documents.

  std::int64_t batches;  ///< Those that were run.
  std::int64_t batches_in_text;
  std::int64_t documents_run;
  std::int64_t tokens_run;
  std::int64_t padded_cells;  ///< Cells of the padded batches that were run.

  Agreements agreements;
  bool has_bfloat16_instructions;
  int busy_cores;  ///< Those that the threads keep busy: no more than there are.
  Metering metering;
  std::vector<Result> results;

  double mean_length() const { return static_cast<double>(tokens) / static_cast<double>(documents); }

  /// What a contender takes in one pass.
  Consumption in_pass(const Result& result) const { return consumption(result, 1, busy_cores, options.scale); }

  /// What it takes for `options.scale.documents` documents of the text's mean length.
  Consumption at_scale(const Result& result) const;

  double fill() const { return static_cast<double>(tokens_run) / static_cast<double>(padded_cells); }
};

/// The program was called in a way that cannot work.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Runs the comparison.
/// @throws UsageError if `options.batch` is more than there are documents.
/// @throws std::runtime_error if the text cannot be read, has no documents, or has one of too many tokens.
/// @throws Disagreement if a contender does not compute what it should.
Comparison compare(CompareOptions options, Progress& progress);

}  // namespace packseq::cli
