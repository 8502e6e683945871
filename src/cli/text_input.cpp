#include "cli/text_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <stdexcept>

#include "cli/looks_like.hpp"
#include "text/ascii.hpp"
#include "text/text_error.hpp"

namespace packseq::cli {
namespace {

using packseq::detail::TextError;

constexpr std::size_t lines_to_judge = 10;
constexpr std::size_t longest_to_judge = 64 << 10;  // of more, the looks are worth neither the memory nor the time

bool is_standard_input(const std::filesystem::path& file) { return file == standard_input; }

DocumentReader open(const std::filesystem::path& file, const DocumentReaderOptions& options) {
  return is_standard_input(file) ? DocumentReader(std::cin, text_name(file), options) : DocumentReader(file, options);
}

/// In a shell's words; between quotes where it needs them.
std::string in_shell(const std::filesystem::path& file) {
  const std::string name = file.string();
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:+,@%";
  if (!name.starts_with('-') && name.find_first_not_of(plain) == std::string::npos) return name;
  std::string quoted = name.starts_with('-') ? "'./" : "'";
  for (const char c : name) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

/// "zcat notes.gz | packseq compare -", of a command that reads FILE.
std::string through(std::string command, const std::filesystem::path& file, const TextOptions& options) {
  constexpr std::string_view placeholder = "FILE";
  if (!is_standard_input(file)) command.replace(command.find(placeholder), placeholder.size(), in_shell(file));
  return fmt::format("{} | packseq {} -", command, options.command);
}

/// What the user can do.
std::string next_step(const TextError& error, const std::filesystem::path& file, const TextOptions& options) {
  switch (error.kind()) {
    case TextError::Kind::foreign:
      return ": " + through(error.command(), file, options);
    case TextError::Kind::invalid_utf8:
      return "; if it is in Latin-1 or Windows-1252: " + through("iconv -f WINDOWS-1252 -t UTF-8 FILE", file, options) +
             "; or --invalid-utf8 replace";
    case TextError::Kind::too_long:
      return ", see --max-document-bytes";
  }
  return {};
}

}  // namespace

std::string text_name(const std::filesystem::path& file) {
  return is_standard_input(file) ? "standard input" : file.string();
}

TextInput::TextInput(const std::filesystem::path& file, const TextOptions& options)
    : file_(file),
      options_(options),
      reader_(open(file, options.reader)),
      fields_(options.json_field, {}),
      is_judged_(!options.note || !options.json_field.empty()) {}

std::optional<std::string_view> TextInput::next() {
  if (!options_.json_field.empty()) return next_field();
  const auto document = next_as_it_is();
  if (!is_judged_) judge(document);
  return document;
}

/// The next one that is not blank: blank lines of a text are no documents either.
std::optional<std::string_view> TextInput::next_field() {
  std::string no_label;
  do {
    const auto object = next_as_it_is();
    if (!object) return std::nullopt;
    if (const auto problem = fields_.read(*object, document_, no_label)) {
      throw std::runtime_error(fmt::format("{}, line {}: --json-field: {}", text_name(file_), line(), *problem));
    }
  } while (packseq::detail::is_blank(document_));
  return document_;
}

std::optional<std::string_view> TextInput::next_as_it_is() {
  try {
    return reader_.next();
  } catch (const TextError& error) {
    throw std::runtime_error(error.problem() + next_step(error, file_, options_));
  }
}

/// Says what the text looks like as soon as enough of it has been seen.
void TextInput::judge(std::optional<std::string_view> document) {
  if (document) {
    for (auto rest = *document; first_.size() < lines_to_judge;) {
      const std::size_t end = rest.find('\n');
      if (std::min(end, rest.size()) > longest_to_judge) {
        is_judged_ = true;
        first_ = {};
        return;
      }
      first_.emplace_back(rest.substr(0, end));
      if (end == std::string_view::npos) break;
      rest.remove_prefix(end + 1);
    }
    if (first_.size() < lines_to_judge) return;
  }
  is_judged_ = true;
  if (const auto looks = what_it_looks_like(first_)) {
    const std::string command = looks->command.empty() ? "" : through(looks->command, file_, options_);
    options_.note(fmt::format("{} {}{}", text_name(file_), looks->text, command));
  }
  first_ = {};
}

}  // namespace packseq::cli
