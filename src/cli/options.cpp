#include "cli/options.hpp"

#include <fmt/format.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

namespace packseq::cli {
namespace {

/// The number that all of the text is.
template <class Number>
std::optional<Number> number_of(const std::string& text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && rest == end ? std::optional(number) : std::nullopt;
}

/// Adds a whole number; the message about a wrong one says what would be right.
template <class Setter>
CLI::Option* add_number(CLI::App& app, const std::string& name, std::int64_t min, std::int64_t max, Setter set,
                        const std::string& description) {
  const auto parse = [=](const std::string& text) {
    const auto number = number_of<std::int64_t>(text);
    if (!number || *number < min || *number > max) {
      throw CLI::ValidationError(name, fmt::format("{} is not a whole number in {} ... {}", text, min, max));
    }
    set(*number);
  };
  return app.add_option_function<std::string>(name, parse, description)->type_name("N");
}

/// Adds a number above 0 that may have decimals.
void add_positive(CLI::App& app, const std::string& name, double max, std::optional<double>& value,
                  const std::string& description) {
  const auto parse = [=, &value](const std::string& text) {
    const auto number = number_of<double>(text);
    if (!number || !(*number > 0 && *number <= max)) {
      throw CLI::ValidationError(name, fmt::format("{} is not a number above 0, up to {}", text, max));
    }
    value = number;
  };
  app.add_option_function<std::string>(name, parse, description)->type_name("X");
}

/// Adds a choice between words; `choices` maps each word to its value.
template <class Value>
void add_choice(CLI::App& app, const std::string& name, Value& value,
                const std::vector<std::pair<std::string, Value>>& choices, const std::string& description) {
  std::string words;
  for (const auto& choice : choices) words += (words.empty() ? "" : "|") + choice.first;
  const auto parse = [=, &value](const std::string& text) {
    for (const auto& [word, meaning] : choices) {
      if (text == word) {
        value = meaning;
        return;
      }
    }
    throw CLI::ValidationError(name, fmt::format("{} is not one of {}", text, words));
  };
  app.add_option_function<std::string>(name, parse, description)->type_name(words);
}

void add_text_options(CLI::App& app, TextOptions& options) {
  add_choice<Split>(app, "--split", options.reader.split, {{"line", Split::line}, {"paragraph", Split::paragraph}},
                    "what a document is (line)");
  app.add_option_function<std::string>(
         "--json-field",
         [&](const std::string& name) {
           if (name.empty()) throw CLI::ValidationError("--json-field", "'' names no field");
           options.json_field = name;
         },
         "of lines of JSON, this field is the text")
      ->type_name("NAME");
  add_choice<Tokenizer>(app, "--tokenizer", options.tokenizer,
                        {{"whitespace", split_whitespace}, {"words", split_words}, {"characters", split_characters}},
                        "what a token is (whitespace)");
  add_choice<InvalidUtf8>(app, "--invalid-utf8", options.reader.invalid_utf8,
                          {{"refuse", InvalidUtf8::refuse}, {"replace", InvalidUtf8::replace}},
                          "what is done about bad bytes (refuse)");
  add_number(
      app, "--max-document-bytes", 1, std::int64_t{1} << 40, [&](auto n) { options.reader.max_document_bytes = n; },
      "longer documents are refused (67108864)");
}

void add_batch_options(CLI::App& app, CompareOptions& options) {
  add_number(
      app, "--batch", 1, 1'000'000, [&](auto n) { options.batch = n; }, "documents in a batch (32)");
  add_number(
      app, "--max-batches", 1, 1'000'000, [&](auto n) { options.max_batches = n; }, "batches that are run (8)");
  add_choice<Order>(
      app, "--order", options.order,
      {{"shuffled", Order::shuffled}, {"as-is", Order::as_is}, {"sorted", Order::sorted}, {"text", Order::text}},
      "of documents (shuffled)");
  add_number(
      app, "--seed", 0, std::numeric_limits<std::int64_t>::max(),
      [&](auto n) { options.measure.seed = static_cast<std::uint64_t>(n); }, "of order and weights (1)");
}

void add_model_options(CLI::App& app, CompareOptions& options) {
  using cost::Kind;
  add_choice<Kind>(app, "--kind", options.network.kind, {{"lstm", Kind::lstm}, {"gru", Kind::gru}, {"rnn", Kind::rnn}},
                   "of the network (lstm)");
  add_number(
      app, "--embedding", 1, 65'536, [&](auto n) { options.network.input_size = n; },
      "numbers that stand for a token (128)");
  add_number(
      app, "--hidden", 1, 65'536, [&](auto n) { options.network.hidden_size = n; }, "hidden units (256)");
  add_number(
      app, "--layers", 1, 64, [&](auto n) { options.network.num_layers = n; }, "layers (1)");
  app.add_flag("--bidirectional", options.network.bidirectional, "read in both directions");
}

void add_run_options(CLI::App& app, CompareOptions& options) {
  using cost::Mode;
  using engine::Precision;
  add_choice<std::vector<Mode>>(
      app, "--mode", options.modes,
      {{"inference", {Mode::inference}}, {"training", {Mode::training}}, {"both", {Mode::inference, Mode::training}}},
      "what is run (both)");
  add_choice<std::vector<Precision>>(app, "--precision", options.precisions,
                                     {{"float32", {Precision::float32}},
                                      {"bfloat16", {Precision::bfloat16}},
                                      {"both", {Precision::float32, Precision::bfloat16}}},
                                     "of the engine's products (float32)");
  add_number(
      app, "--threads", 1, 1'024, [&](auto n) { options.threads = static_cast<int>(n); },
      "threads (LibTorch's choice)");
  add_number(
      app, "--repeats", 1, 1'000, [&](auto n) { options.measure.repeats = n; }, "timed rounds (5)");
  app.add_option_function<std::string>(
         "--json", [&](const std::string& path) { options.json = path; }, "write the results to this file as well")
      ->type_name("PATH");
}

/// A whole number that may be written as 1e9.
void add_documents(CLI::App& app, ScaleOptions& options) {
  constexpr double max = 1e15;
  const auto parse = [=, &options](const std::string& text) {
    const auto number = number_of<double>(text);
    if (!number || !(*number >= 1 && *number <= max) || *number != std::floor(*number)) {
      throw CLI::ValidationError("--documents", fmt::format("{} is not a whole number in 1 ... {}", text, max));
    }
    options.documents = static_cast<std::int64_t>(*number);
  };
  app.add_option_function<std::string>("--documents", parse, "how many there are (1e9)")->type_name("N");
}

void add_scale_options(CLI::App& app, ScaleOptions& options) {
  add_documents(app, options);
  add_positive(app, "--watts", 1e3, options.watts, "of a busy core, where energy is not measured");
  add_positive(app, "--price", 1e9, options.price, "of a core-hour, in any currency");
}

}  // namespace

void add_show_options(CLI::App& app, ShowOptions& options) {
  app.add_option_function<std::string>(
         "FILE", [&](const std::string& file) { options.file = file; },
         "a text, or - for stdin; without it, short ones")
      ->type_name("");
  add_text_options(app, options.text);
  add_number(
      app, "--documents", 1, 100, [&](auto n) { options.documents = static_cast<std::size_t>(n); },
      "how many of the first ones are shown (5)");
}

void add_compare_options(CLI::App& app, CompareOptions& options) {
  app.add_option_function<std::vector<std::string>>(
         "FILE", [&](const std::vector<std::string>& files) { options.files.assign(files.begin(), files.end()); },
         "texts, put end to end; - is standard input")
      ->type_name("");
  app.option_defaults()->group("Text");
  add_text_options(app, options.text);
  add_number(
      app, "--max-tokens-per-document", 1, 1'000'000'000, [&](auto n) { options.text.max_tokens_per_document = n; },
      "longer documents are refused (10000)");
  app.option_defaults()->group("Batches");
  add_batch_options(app, options);
  app.option_defaults()->group("Model");
  add_model_options(app, options);
  app.option_defaults()->group("Run");
  add_run_options(app, options);
  app.option_defaults()->group("At scale");
  add_scale_options(app, options.scale);
}

}  // namespace packseq::cli
