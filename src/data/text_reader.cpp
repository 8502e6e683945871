#include "packseq/data/text_reader.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "data/column_signs.hpp"
#include "data/json_fields.hpp"
#include "text/vocab_of_lines.hpp"
#include "text/watched_file.hpp"

namespace packseq::data {
namespace {

[[noreturn]] void refuse_options(const std::string& problem) { throw std::invalid_argument("TextReader: " + problem); }

void check_token_columns(const TextReaderOptions& options) {
  if (!options.token_columns) return;
  if (options.label != LabelSource::none) {
    refuse_options("label is not none, but token_columns is set: the labels of tokens are in its label column");
  }
  if (!options.json_field.empty()) refuse_options("token_columns and json_field are both set");
  std::istringstream no_text;
  ColumnReader(no_text, "", *options.token_columns, options.text);
}

void check_options(const TextReaderOptions& options) {
  const auto check_positive = [](const std::string& name, std::int64_t value) {
    if (value < 1) refuse_options(name + " is " + std::to_string(value) + ", and must be at least 1");
  };
  check_positive("label_column", options.label_column);
  check_positive("document_column", options.document_column);
  check_positive("text.max_document_bytes", options.text.max_document_bytes);
  if (options.label_column == options.document_column) {
    refuse_options("label_column and document_column are both " + std::to_string(options.label_column));
  }
  check_token_columns(options);
  const bool is_json = !options.json_field.empty();
  if ((is_json || options.label == LabelSource::column) && options.text.split != Split::line) {
    refuse_options(std::string("text.split is not line, but ") +
                   (is_json ? "with json_field" : "where labels come from a column") + " a document is a line");
  }
  if (is_json && options.label == LabelSource::column) {
    refuse_options("label is column, but json_field is '" + options.json_field + "': labels come from a field there");
  }
  if (options.label != LabelSource::field) return;
  if (!is_json) refuse_options("label is field, but json_field is empty: it names the field that is the document");
  if (options.label_field.empty()) refuse_options("label_field is empty");
  if (options.label_field == options.json_field) {
    refuse_options("json_field and label_field are both '" + options.json_field + "'");
  }
}

detail::JsonFields json_fields(const TextReaderOptions& options) {
  return {options.json_field, options.label == LabelSource::field ? options.label_field : std::string()};
}

std::vector<packseq::detail::WatchedFile> watched(const std::vector<std::filesystem::path>& files) {
  if (files.empty()) refuse_options("files is empty");
  std::vector<packseq::detail::WatchedFile> all;
  std::map<std::filesystem::path, std::size_t> numbers;
  for (std::size_t i = 0; i < files.size(); ++i) {
    all.emplace_back(files[i]);
    const auto [first, is_new] = numbers.emplace(std::filesystem::canonical(files[i]), i);
    if (!is_new) {
      refuse_options("files[" + std::to_string(i) + "], " + files[i].string() + ", is the same file as files[" +
                     std::to_string(first->second) + "]");
    }
  }
  return all;
}

/// The columns of a line, between tabs.
std::vector<std::string_view> columns_of(std::string_view line) {
  std::vector<std::string_view> columns;
  while (true) {
    const auto tab = line.find('\t');
    columns.push_back(line.substr(0, tab));
    if (tab == std::string_view::npos) return columns;
    line.remove_prefix(tab + 1);
  }
}

/// Takes a text for one token.
void keep_whole(std::string_view text, const TokenSink& emit) { emit(text); }

/// The vocabulary of one part of all documents.
Vocab vocab_of(std::string TextDocument::*part, const std::vector<std::filesystem::path>& files,
               const TextReaderOptions& text, const VocabOptions& options) {
  TextReader reader(files, text);
  std::optional<TextDocument> document;
  DocumentSource parts = [&]() -> std::optional<std::string_view> {
    document = reader.next();
    if (!document) return std::nullopt;
    return (*document).*part;
  };
  return text.token_columns ? packseq::detail::vocab_of_lines(parts, options) : Vocab::build(parts, options);
}

}  // namespace

struct TextReader::State {
  std::vector<packseq::detail::WatchedFile> files;
  TextReaderOptions options;
  detail::JsonFields fields = json_fields(options);
  std::size_t file = 0;                        // the one that is read
  std::optional<DocumentReader> reader = {};   // of it, once it is open,
  std::optional<ColumnReader> sentences = {};  // or of its sentences
  detail::ColumnSigns signs = {};
  std::size_t columns = 0;  // of its lines, once one is read
  std::int64_t number = 0;  // of the next document

  void open();
  void close();
  std::optional<TextDocument> next();
  std::optional<TextDocument> next_sentence();
  void check_for_tokens(bool is_sure) const;
  TextDocument document(std::string_view text);
  TextDocument document_of_columns(std::string_view line);
  TextDocument document_of_json(std::string_view line);
  void check_columns(std::size_t count);
  [[noreturn]] void refuse(const std::string& problem) const;
};

TextReader::TextReader(const std::vector<std::filesystem::path>& files, const TextReaderOptions& options) {
  check_options(options);
  state_ = std::make_unique<State>(State{watched(files), options});
}

TextReader::TextReader(TextReader&&) noexcept = default;
TextReader& TextReader::operator=(TextReader&&) noexcept = default;
TextReader::~TextReader() = default;

std::optional<TextDocument> TextReader::next() {
  for (; state_->file < state_->files.size(); ++state_->file) {
    if (!state_->reader && !state_->sentences) state_->open();
    if (auto document = state_->next()) {
      document->number = state_->number++;
      return document;
    }
    state_->close();
  }
  return std::nullopt;
}

void TextReader::rewind() {
  state_->reader.reset();
  state_->sentences.reset();
  state_->file = 0;
  state_->number = 0;
}

void TextReader::State::open() {
  files[file].check_unchanged();
  if (options.token_columns) {
    sentences.emplace(files[file].path(), *options.token_columns, options.text);
  } else {
    reader.emplace(files[file].path(), options.text);
  }
  signs = {};
  columns = 0;
}

void TextReader::State::close() {
  reader.reset();
  sentences.reset();
  files[file].check_unchanged();
}

/// The next document of the file.
std::optional<TextDocument> TextReader::State::next() {
  if (sentences) return next_sentence();
  const bool may_be_tokens = options.json_field.empty();
  if (const auto text = reader->next()) {
    if (may_be_tokens) check_for_tokens(signs.see(*text, reader->line()));
    return document(*text);
  }
  if (may_be_tokens) check_for_tokens(signs.end());
  return std::nullopt;
}

std::optional<TextDocument> TextReader::State::next_sentence() {
  const auto sentence = sentences->next();
  if (!sentence) return std::nullopt;
  return TextDocument{.text = std::string(sentence->words),
                      .label = std::string(sentence->labels),
                      .is_sentence = true,
                      .file = files[file].name(),
                      .line = sentences->line()};
}

void TextReader::State::check_for_tokens(bool is_sure) const {
  if (!is_sure) return;
  refuse(
      "this looks like a column file, a token on each line and blank lines between sentences: set "
      "TextReaderOptions::token_columns; or, if each line is a document, take the blank lines out");
}

TextDocument TextReader::State::document(std::string_view text) {
  if (options.label == LabelSource::column) return document_of_columns(text);
  if (!options.json_field.empty()) return document_of_json(text);
  const auto& name = files[file].name();
  return {.text = std::string(text),
          .label = options.label == LabelSource::file ? *name : std::string(),
          .file = name,
          .line = reader->line()};
}

TextDocument TextReader::State::document_of_columns(std::string_view line) {
  const auto all = columns_of(line);
  check_columns(all.size());
  const std::string_view label = all[static_cast<std::size_t>(options.label_column) - 1];
  const std::string_view text = all[static_cast<std::size_t>(options.document_column) - 1];
  if (label.empty()) refuse("the label, column " + std::to_string(options.label_column) + ", is empty");
  return {.text = std::string(text), .label = std::string(label), .file = files[file].name(), .line = reader->line()};
}

TextDocument TextReader::State::document_of_json(std::string_view line) {
  TextDocument document{.file = files[file].name(), .line = reader->line()};
  if (options.label == LabelSource::file) document.label = *document.file;
  if (const auto problem = fields.read(line, document.text, document.label)) refuse(*problem);
  if (options.label == LabelSource::field && document.label.empty()) {
    refuse("the label, field '" + options.label_field + "', is empty");
  }
  return document;
}

void TextReader::State::check_columns(std::size_t count) {
  const auto needed = static_cast<std::size_t>(std::max(options.label_column, options.document_column));
  if (count < needed) {
    refuse(std::to_string(count) + " columns, and column " + std::to_string(needed) + " is to be read");
  }
  if (columns == 0) columns = count;
  if (count != columns) {
    refuse(std::to_string(count) + " columns, but the lines before have " + std::to_string(columns));
  }
}

void TextReader::State::refuse(const std::string& problem) const {
  throw std::runtime_error(*files[file].name() + ", line " + std::to_string(reader->line()) + ": " + problem);
}

Vocab build_vocab(const std::vector<std::filesystem::path>& files, const TextReaderOptions& text,
                  const VocabOptions& options) {
  return vocab_of(&TextDocument::text, files, text, options);
}

Vocab build_labels(const std::vector<std::filesystem::path>& files, const TextReaderOptions& text) {
  if (text.label == LabelSource::none && !(text.token_columns && text.token_columns->label)) {
    throw std::invalid_argument(text.token_columns ? "build_labels: text.token_columns->label is not set"
                                                   : "build_labels: text.label is none: there are none");
  }
  return vocab_of(&TextDocument::label, files, text, {.specials = {}, .tokenizer = keep_whole});
}

}  // namespace packseq::data
