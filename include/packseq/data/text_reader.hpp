#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "packseq/data/column_reader.hpp"
#include "packseq/export.hpp"
#include "packseq/text/document_reader.hpp"
#include "packseq/text/vocab.hpp"

namespace packseq::data {

/// Where the label of a document comes from.
enum class LabelSource {
  none,  ///< There are no labels.
  /// Files are lines of columns between tabs: one column is the document, another its label. A line of nothing but tabs
  /// and other white space is blank, and passed over.
  column,
  file,   ///< The label is the name of the document's file, as the caller gives it.
  field,  ///< Another field of the JSON object that holds the document.
};

/// How documents are read from files.
struct TextReaderOptions {
  LabelSource label = LabelSource::none;  ///< Where labels come from.
  std::int64_t label_column = 1;          ///< Counted from 1; for `LabelSource::column`.
  std::int64_t document_column = 2;       ///< Likewise.
  /// The field that is the document, where files are JSON lines, an object on each line; empty: they are not. Its value
  /// must be a string.
  std::string json_field = {};
  std::string label_field = "label";  ///< A string, a number or a truth value; for `LabelSource::field`.
  /// Where files are column files, a token on each line, so that each sentence is a document: what their columns are.
  /// Labels are then those of tokens, if it sets their column, and `label` stays `none`.
  std::optional<TokenColumns> token_columns = {};
  DocumentReaderOptions text = {};  ///< With columns or JSON, a document is always a line, or lines of tokens.
};

/// A document as it is read.
struct TextDocument {
  std::string text = {};   ///< UTF-8.
  std::string label = {};  ///< Empty where there is none.
  /// It is of a column file: each line of `text` is a token, as in `Sentence`, and each of `label` that token's label.
  bool is_sentence = false;
  std::shared_ptr<const std::string> file = {};  ///< Where it is from,
  std::int64_t line = 0;                         ///< and the line on which it begins there, from 1.
  std::int64_t number = -1;                      ///< Which document of all files it is, from 0; -1 if of none.
};

/// Reads the documents of several files one after the other, one at a time, so that they may be larger than memory.
/// Where a column or a field that is the document is empty or blank, so is the document.
///
/// A file must not change while it is read: its size and time of change are looked at when the reader is made, and
/// again when the file is opened and when its end is reached. Different readers may be used by different threads; one
/// that has thrown must not be read further.
/// @code
/// packseq::data::TextReader reader({"spam.txt", "ham.txt"}, {.label = packseq::data::LabelSource::file});
/// while (const auto document = reader.next()) std::cout << document->label << ": " << document->text << '\n';
///
/// packseq::data::TextReader json({"mail.jsonl"},   // {"text": "get rich", "spam": true}
///                                {.label = packseq::data::LabelSource::field, .json_field = "text",
///                                 .label_field = "spam"});
///
/// packseq::data::TextReader tagged({"tagged.conll"}, {.token_columns = {{.word = 1, .label = 4}}});   // by CoNLL 2003
/// @endcode
class PACKSEQ_EXPORT TextReader {
 public:
  /// @throws std::invalid_argument if `files` is empty or names one file twice.
  /// @throws std::invalid_argument if a column of documents or labels is less than 1, or both are the same one.
  /// @throws std::invalid_argument if labels come from a field, and `options.json_field` is empty, or
  ///   `options.label_field` is empty or the same one; or if labels come from a column of JSON.
  /// @throws std::invalid_argument if `options.text.split` is not `line` where labels come from a column, or files are
  ///   JSON lines or column files.
  /// @throws std::invalid_argument if `options.token_columns` is set, and is refused by `ColumnReader`, or
  ///   `options.label` is not `none` or `options.json_field` not empty.
  /// @throws std::invalid_argument if `options.text.max_document_bytes` is less than 1.
  /// @throws std::runtime_error if a file does not exist or is no regular file.
  explicit TextReader(const std::vector<std::filesystem::path>& files, const TextReaderOptions& options = {});

  /// A reader that was moved from can be assigned to or destroyed, and nothing else.
  TextReader(TextReader&&) noexcept;
  TextReader& operator=(TextReader&&) noexcept;  ///< Likewise.
  ~TextReader();

  /// The next document, or nothing at the end of the last file.
  /// @throws std::runtime_error as `DocumentReader::next`.
  /// @throws std::runtime_error that names file and line, if a line has not the two columns that are read, or not as
  ///   many as the first document of its file; or if its label is empty.
  /// @throws std::runtime_error that names file and line, if a line of JSON is no object, or lacks a field that is
  ///   read, has it twice, or with a value of another kind or one that holds a zero byte; or if its label is empty.
  /// @throws std::runtime_error as `ColumnReader::next`, of column files.
  /// @throws std::runtime_error that names file and line, if the file is read as documents that are lines or paragraphs
  ///   of text, and its first ones look like the lines of a column file.
  /// @throws std::runtime_error that names the file, if it has changed or is gone since the reader was made.
  std::optional<TextDocument> next();

  /// From the first document again: an epoch is one pass.
  /// @code
  /// packseq::data::TextReader reader({"corpus.txt"});
  /// for (int epoch = 0; epoch < 10; ++epoch, reader.rewind()) {
  ///   while (const auto document = reader.next()) std::cout << document->text << '\n';
  /// }
  /// @endcode
  void rewind();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The vocabulary of all documents of some files. Words of column files are tokens as they are, and `options.tokenizer`
/// splits other text that the vocabulary encodes. The same conditions throw as in `TextReader` and `Vocab::build`.
/// @code
/// const auto vocab = packseq::data::build_vocab({"spam.txt", "ham.txt"}, {},
///                                               {.specials = {"<pad>", "<unk>"}, .unknown = "<unk>"});
/// @endcode
PACKSEQ_EXPORT Vocab build_vocab(const std::vector<std::filesystem::path>& files, const TextReaderOptions& text,
                                 const VocabOptions& options = {});

/// The labels of all documents of some files, or of all their tokens, as a vocabulary without specials: the most
/// frequent label is 0.
///
/// Its tokenizer takes a text as one token.
/// @throws std::invalid_argument if `text.label` is `LabelSource::none`, and `text.token_columns` has none either.
///   Otherwise as `TextReader`.
/// @code
/// const auto labels = packseq::data::build_labels({"labelled.tsv"}, {.label = packseq::data::LabelSource::column});
/// @endcode
PACKSEQ_EXPORT Vocab build_labels(const std::vector<std::filesystem::path>& files, const TextReaderOptions& text);

}  // namespace packseq::data
