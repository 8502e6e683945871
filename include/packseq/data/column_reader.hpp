#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "packseq/export.hpp"
#include "packseq/text/document_reader.hpp"

namespace packseq::data {

/// Which lines of a column file are tokens, and what is between their columns.
enum class ColumnFormat {
  /// Every line is a token, also one that begins with `#`, which is a word; but for lines that begin with "-DOCSTART-",
  /// "#begin document" or "#end document", which end a sentence as blank lines do. Columns are between tabs if the
  /// file's first token has one, and may hold blanks then; else between runs of white space. Each token has as many. So
  /// are the files of CoNLL 2000, 2002 and 2003.
  plain,
  /// The same, but the tokens of one sentence may have other numbers of columns than those of another, of which each
  /// predicate has one. So are the files of CoNLL 2005 and 2012.
  conll_2012,
  /// Columns are between tabs, and may hold blanks; the first one is the token's number. Lines that begin with `#` are
  /// comments; ranges ("2-3") and empty nodes ("8.1", "0.1") are no tokens. Sentences may differ in the number of
  /// columns. So are the files of CoNLL-U, CoNLL-X, and CoNLL 2008 and 2009.
  conll_u,
};

/// Where a column file has what. Columns are counted from 1, or from the end, where -1 is the last one.
struct TokenColumns {
  std::int64_t word = 1;                      ///< The words' column.
  std::optional<std::int64_t> label = {};     ///< The labels' column, likewise; if it is not set, there are no labels.
  ColumnFormat format = ColumnFormat::plain;  ///< What its lines are.
};

/// A sentence of a column file. No word and no label is empty or holds a "\n", which stands between two of them.
struct Sentence {
  std::string_view words;   ///< As the file has them, one on each line.
  std::string_view labels;  ///< Likewise; empty where labels are not read.
};

/// Reads the sentences of a column file one at a time: one token a line, its columns between tabs or blanks, and blank
/// lines (nothing but ASCII white space) between sentences. The last one needs none behind it.
///
/// `TextReader` reads several files through it, for all that documents serve. Lines end, readers move and threads share
/// as with `DocumentReader`.
/// @code
/// packseq::data::ColumnReader reader("tagged.conll", {.word = 1, .label = 4});   // "EU NNP I-NP I-ORG"
/// while (const auto sentence = reader.next()) {
///   packseq::split_lines(sentence->words, [](std::string_view word) { std::cout << word << ' '; });
/// }
/// @endcode
class PACKSEQ_EXPORT ColumnReader {
 public:
  /// Opens a file.
  /// @throws std::invalid_argument if a column is 0, both are the same one, or one is the first of CoNLL-U.
  /// @throws std::invalid_argument if `text.split` is not `line`, or `text.max_document_bytes` is less than 1.
  /// @throws std::runtime_error if `file` does not exist, is a directory, or cannot be opened.
  explicit ColumnReader(const std::filesystem::path& file, const TokenColumns& columns = {},
                        const DocumentReaderOptions& text = {});

  /// Reads from a stream, which must outlive the reader; `name` stands for it in error messages. The same conditions of
  /// `columns` and `text` throw.
  /// @code
  /// std::istringstream text("EU\tORG\nrejects\tO\n");
  /// packseq::data::ColumnReader reader(text, "a text in memory", {.label = 2});
  /// @endcode
  ColumnReader(std::istream& input, std::string name, const TokenColumns& columns = {},
               const DocumentReaderOptions& text = {});

  /// A reader that was moved from can be assigned to or destroyed, and nothing else.
  ColumnReader(ColumnReader&&) noexcept;
  ColumnReader& operator=(ColumnReader&&) noexcept;  ///< Likewise.
  ~ColumnReader();

  /// The next sentence, or nothing at the end of the file. The views are valid until the next call.
  /// @throws std::runtime_error as `DocumentReader::next`; a sentence may have `text.max_document_bytes`, all columns
  ///   counted.
  /// @throws std::runtime_error that names file and line, if there is a carriage return within a line.
  /// @throws std::runtime_error that names file, line and columns, if a line has not the columns that are read, or not
  ///   as many as the first token of the file or, where these may differ, of the sentence, or blanks between them where
  ///   the file's first has tabs, or tabs where it has blanks; or if word and label turn out to be one column, counted
  ///   from both ends.
  /// @throws std::runtime_error that names file and line, if a word or label is empty, a label holds a blank, or a
  ///   line of CoNLL-U does not begin with a number.
  /// @throws std::runtime_error that names file and line, if all of the first ten words hold blanks, or of at least
  ///   four if there are no more: then it is a file of documents.
  std::optional<Sentence> next();

  /// The line, counted from 1, of the first token of the latest sentence; 0 before the first.
  std::int64_t line() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace packseq::data
