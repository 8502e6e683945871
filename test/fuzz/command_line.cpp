// Any words are a command line: they are understood, and then in range, or refused in CLI11's way.

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <string>
#include <vector>

#include "cli/options.hpp"
#include "input.hpp"

namespace {

using packseq::fuzz::require;

/// A line for each word, the last one first, as CLI11 wants them.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (true) {
    const auto end = text.find('\n');
    words.emplace(words.begin(), text.substr(0, end));
    if (end == std::string_view::npos) return words;
    text.remove_prefix(end + 1);
  }
}

void check(const packseq::cli::CompareOptions& options) {
  const auto in_range = [](std::int64_t number, std::int64_t max) { require(1 <= number && number <= max, "range"); };
  in_range(options.batch.value_or(1), 1'000'000);
  in_range(options.max_batches, 1'000'000);
  in_range(options.text.reader.max_document_bytes, std::int64_t{1} << 40);
  in_range(options.text.max_tokens_per_document, 1'000'000'000);
  in_range(options.network.input_size, 65'536);
  in_range(options.network.hidden_size, 65'536);
  in_range(options.network.num_layers, 64);
  in_range(options.threads + 1, 1'025);
  in_range(options.measure.repeats, 1'000);
  in_range(options.scale.documents_or_default(), 1'000'000'000'000'000);
  require(options.scale.watts.value_or(1) > 0 && options.scale.watts.value_or(1) <= 1e3, "range");
  require(options.scale.price.value_or(1) > 0 && options.scale.price.value_or(1) <= 1e9, "range");
  require(!options.modes.empty() && !options.precisions.empty() && options.text.tokenizer,
          "an option has lost its value");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace packseq;
  CLI::App app;
  cli::ShowOptions show;
  cli::CompareOptions compare;
  cli::add_show_options(*app.add_subcommand("show"), show);
  cli::add_compare_options(*app.add_subcommand("compare"), compare);
  try {
    app.parse(words_of(fuzz::Input(data, size).rest()));
  } catch (const CLI::ParseError& error) {
    require(error.get_exit_code() != 0 || !app.help().empty(), "there is no help");
    require(error.get_exit_code() == 0 || *error.what() != '\0', "an error says nothing");
  }
  require(1 <= show.documents && show.documents <= 100, "range");
  check(compare);
  return 0;
}
