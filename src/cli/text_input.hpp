#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/json_fields.hpp"
#include "packseq/text/document_reader.hpp"
#include "packseq/text/tokenizer.hpp"

namespace packseq::cli {

/// How a text becomes documents and tokens.
struct TextOptions {
  DocumentReaderOptions reader = {};
  std::string json_field = {};  ///< Lines are JSON objects with this field; empty: they are text.
  Tokenizer tokenizer = split_whitespace;
  std::int64_t max_tokens_per_document = 10'000;
  std::string command = "compare";                    ///< Of the program: its errors name it.
  std::function<void(const std::string&)> note = {};  ///< Is told, once a text, if it looks like something else.
};

/// The file name that stands for standard input.
inline constexpr std::string_view standard_input = "-";

/// What a person reads in its place.
std::string text_name(const std::filesystem::path& file);

/// The documents of a text that the user has named. All errors name the options of the program.
class TextInput {
 public:
  /// Opens the file, or standard input for "-".
  /// @throws std::runtime_error as `DocumentReader`.
  TextInput(const std::filesystem::path& file, const TextOptions& options);

  /// The next document, or nothing at the end. The view is valid until the next call.
  /// @throws std::runtime_error as `DocumentReader::next`, and if a line does not have the field of JSON.
  std::optional<std::string_view> next();

  /// The line on which the latest document began.
  std::int64_t line() const noexcept { return reader_.line(); }

 private:
  std::filesystem::path file_;
  TextOptions options_;
  DocumentReader reader_;
  data::detail::JsonFields fields_;
  std::string document_;
  std::vector<std::string> first_;  // lines, as long as there are too few of them to tell what they look like
  bool is_judged_;

  std::optional<std::string_view> next_field();
  std::optional<std::string_view> next_as_it_is();
  void judge(std::optional<std::string_view> document);
};

}  // namespace packseq::cli
