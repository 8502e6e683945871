#include "cli/report.hpp"

#include <fmt/format.h>
#include <torch/version.h>

#include <algorithm>
#include <iterator>

#include "cli/conclusion.hpp"
#include "cli/histogram.hpp"
#include "cli/report_scale.hpp"

namespace packseq::cli {
namespace {

constexpr std::size_t line_columns = 80;

std::string entry(const Theme& theme, std::string_view label, std::string_view text) {
  return fmt::format("{}{}\n", fmt::styled(left(label, 10), theme.heading), text);
}

std::string bytes(std::int64_t number) { return with_prefix(static_cast<double>(number)) + "B"; }

std::string percent(double part) { return fmt::format("{:.0f} %", 100 * part); }

std::string text_entry(const Comparison& comparison, const Theme& theme) {
  const CompareOptions& options = comparison.options;
  const std::filesystem::path& first = options.files.front();
  std::string files = first == standard_input ? text_name(first) : first.filename().string();
  if (options.files.size() > 1) {
    files += fmt::format(" and {}", counted(static_cast<std::int64_t>(options.files.size()) - 1, "more file"));
  }
  const char* split = options.text.reader.split == Split::line ? "line" : "paragraph";
  return entry(theme, "Text", fmt::format("{}, each {} a document", clipped(files, 45), split)) +
         entry(theme, "",
               fmt::format("{}, {}, {}", counted(comparison.documents, "document"), counted(comparison.tokens, "token"),
                           counted(comparison.distinct_tokens, "different word")));
}

std::string lengths_entry(const Comparison& comparison, const Theme& theme) {
  const auto at_part = [&](std::int64_t quarter) {
    return grouped(comparison.lengths.at((comparison.documents - 1) * quarter / 4));
  };
  std::string text = entry(theme, "Lengths",
                           fmt::format("shortest {}, 25 % {}, median {}, 75 % {}, longest {} tokens", at_part(0),
                                       at_part(1), at_part(2), at_part(3), at_part(4)));
  for (const std::string& line : histogram(comparison.lengths, line_columns - 10)) text += entry(theme, "", line);
  return text;
}

std::string order_of(const CompareOptions& options) {
  switch (options.order) {
    case Order::as_is:
      return "as they stand in the text";
    case Order::shuffled:
      return fmt::format("shuffled with seed {}", options.measure.seed);
    case Order::text:
      return fmt::format("drawn with seed {}, those that begin alike together", options.measure.seed);
    case Order::sorted:
      break;
  }
  return fmt::format("drawn with seed {}, longest first", options.measure.seed);
}

std::string batches_entry(const Comparison& comparison, const Theme& theme) {
  const std::int64_t batch = *comparison.options.batch;
  const bool limited = comparison.batches < comparison.batches_in_text;
  const std::int64_t rest = comparison.documents_run % batch;
  return entry(theme, "Batches",
               fmt::format("{}{} of {}{}{}, {}", limited ? fmt::format("{} of ", comparison.batches) : "",
                           counted(comparison.batches_in_text, "batch"), batch == comparison.documents ? "all " : "",
                           counted(batch, "document"), rest == 0 ? "" : fmt::format(" (the last of {})", rest),
                           order_of(comparison.options))) +
         entry(theme, "",
               fmt::format("{} in {}: {} padding", counted(comparison.tokens_run, "token"),
                           counted(comparison.padded_cells, "padded cell"), percent(1 - comparison.fill())));
}

std::string model_entry(const Comparison& comparison, const Theme& theme) {
  const cost::Network& network = comparison.options.network;
  const char* kind = network.kind == cost::Kind::lstm ? "LSTM" : network.kind == cost::Kind::gru ? "GRU" : "RNN";
  return entry(
      theme, "Model",
      fmt::format("embedding {}, {}{} {}, {}", network.input_size, network.bidirectional ? "bidirectional " : "", kind,
                  network.hidden_size, counted(network.num_layers, "layer")));
}

bool has_bfloat16(const Comparison& comparison) {
  return comparison.options.precisions.back() == engine::Precision::bfloat16;
}

std::string run_entry(const Comparison& comparison, const Theme& theme) {
  const auto difference = [&](engine::Precision precision) {
    return fmt::format("{:.0e}", comparison.agreements.at(precision).max_abs_difference);
  };
  return entry(theme, "Check",
               "every document comes out as if run alone, within " + difference(engine::Precision::float32)) +
         (has_bfloat16(comparison)
              ? entry(theme, "", "with products of bfloat16 within " + difference(engine::Precision::bfloat16))
              : "") +
         entry(theme, "Timing",
               fmt::format("{}, {}, LibTorch {}", counted(comparison.options.measure.repeats, "round"),
                           counted(comparison.options.threads, "thread"), TORCH_VERSION));
}

/// In what times are given: milliseconds, unless a round took long.
struct Unit {
  const char* name = "ms";
  double per_second = 1000;
};

Unit unit_for(const std::vector<Result>& results) {
  double longest = 0;
  for (const Result& result : results) longest = std::max(longest, result.seconds.max);
  return longest < 10 ? Unit{} : Unit{"s", 1};
}

/// With three digits or more.
std::string in_unit(double seconds, const Unit& unit) {
  const double number = unit.per_second * seconds;
  if (number >= 99.95) return grouped(static_cast<std::int64_t>(number + 0.5));
  return fmt::format("{:.{}f}", number, number < 9.995 ? 2 : 1);
}

/// Of a table with names of up to 12 characters.
constexpr const char* row_format = "{:<14} {:>7} {:>6} {:>8} {:>7} {:>15} {:>9} {}\n";
/// Of one with up to 15: what stands between is no wider than that.
constexpr const char* long_row_format = "{:<17} {:>6} {:>6} {:>7} {:>7} {:>14} {:>9} {}\n";

const char* format_of(const std::vector<Result>& results) {
  return std::any_of(results.begin(), results.end(), [](const Result& result) { return result.contender.size() > 12; })
             ? long_row_format
             : row_format;
}

std::string row(const char* format, const Result& result, const Result& padded, const Unit& unit, const Theme& theme) {
  const Seconds& seconds = result.seconds;
  const Speed versus_padded = speed(seconds, padded.seconds);
  const fmt::text_style style = versus_padded == Speed::faster   ? theme.good
                                : versus_padded == Speed::slower ? theme.bad
                                                                 : fmt::text_style{};
  const double useful = static_cast<double>(result.useful_flops) / static_cast<double>(result.executed_flops);
  return fmt::format(fmt::runtime(format), "  " + result.contender + (result.equivalent ? "" : "*"),
                     with_prefix(static_cast<double>(result.executed_flops)), percent(useful),
                     bytes(result.activation_bytes), in_unit(seconds.median, unit),
                     fmt::format("{} - {}", in_unit(seconds.min, unit), in_unit(seconds.max, unit)),
                     grouped(static_cast<std::int64_t>(result.tokens_per_second)),
                     fmt::styled(fmt::format("{:>7.2f}", seconds.median / padded.seconds.median), style));
}

std::string mode_table(const std::vector<Result>& results, const Theme& theme) {
  const bool inference = results.front().mode == cost::Mode::inference;
  const Unit unit = unit_for(results);
  const char* const format = format_of(results);
  const std::string header =
      fmt::format(fmt::runtime(format), inference ? "Inference" : "Training", "FLOPs", "useful", "memory",
                  fmt::format("time {}", unit.name), "min - max", "tokens/s", "  ratio");
  std::string text = fmt::format("\n{}", fmt::styled(header, theme.heading));
  for (const Result& result : results) text += row(format, result, results.front(), unit, theme);
  return text;
}

/// A warning if the rounds of a contender took very different times.
std::string busy(const std::vector<Result>& results) {
  double spread = 1;
  for (const Result& result : results) spread = std::max(spread, result.seconds.max / result.seconds.min);
  if (spread < 2) return {};
  return wrapped(fmt::format("Believe these times with care: one round took {:.0f} times as long as another of the "
                             "same kind, as happens where something else keeps the machine busy.",
                             spread),
                 line_columns);
}

constexpr const char* no_instructions =
    "This CPU does not multiply bfloat16 (AVX512-BF16, on ARM BF16): factors are rounded all the same, and no time is "
    "gained.";
constexpr const char* legend =
    "FLOPs: of the network's matrix products in one pass, and the part of them that real tokens use; more than 100 % "
    "useful is less work than the network's formulas say, since repeated words or beginnings are computed once. "
    "memory: "
    "activations of the largest batch. time: the median of the rounds. ratio: to padded.";
constexpr const char* of_bfloat16 =
    "bfloat16: the engine in the place of fused, with the factors of products rounded to bfloat16.";
constexpr const char* not_equivalent =
    "* not equivalent: its reverse direction reads the padding first, so its numbers are not those of the "
    "documents, and are not in the check.";

}  // namespace

std::string report(const Comparison& comparison, const Theme& theme) {
  std::string text = text_entry(comparison, theme) + lengths_entry(comparison, theme) +
                     batches_entry(comparison, theme) + model_entry(comparison, theme) + run_entry(comparison, theme);
  std::string conclusions;
  for (const cost::Mode mode : comparison.options.modes) {
    std::vector<Result> results;
    std::copy_if(comparison.results.begin(), comparison.results.end(), std::back_inserter(results),
                 [mode](const Result& result) { return result.mode == mode; });
    text += mode_table(results, theme);
    conclusions += wrapped(conclusion(results), line_columns);
  }
  const auto note = [&](const std::string& words) {
    text += fmt::format("{}", fmt::styled(wrapped(words, line_columns), theme.faint));
  };
  text += scale_table(comparison, theme) + "\n";
  note(legend);
  if (has_bfloat16(comparison)) note(of_bfloat16);
  if (comparison.options.network.bidirectional) note(not_equivalent);
  if (const std::string words = scale_legend(comparison); !words.empty()) note(words);
  if (has_bfloat16(comparison) && !comparison.has_bfloat16_instructions) {
    conclusions += wrapped(no_instructions, line_columns);
  }
  return text + "\n" + conclusions + busy(comparison.results);
}

}  // namespace packseq::cli
