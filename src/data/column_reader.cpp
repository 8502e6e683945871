#include "packseq/data/column_reader.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "data/column_signs.hpp"
#include "data/lines.hpp"
#include "text/ascii.hpp"
#include "text/columns.hpp"
#include "text/line_reader.hpp"

namespace packseq::data {
namespace {

using packseq::detail::is_space;
using packseq::detail::LineReader;

const std::string documents_instead = ": is it a file of documents? They are read without token_columns";
constexpr std::size_t words_to_judge = 10;
constexpr std::size_t fewest_words_to_judge = 4;

[[noreturn]] void refuse_argument(const std::string& problem) {
  throw std::invalid_argument("ColumnReader: " + problem);
}

void check_column(const char* name, std::int64_t column, ColumnFormat format) {
  if (column == 0) {
    refuse_argument(std::string(name) + " is 0, but columns are counted from 1, or from -1, which is the last one");
  }
  if (format == ColumnFormat::conll_u && column == 1) {
    refuse_argument(std::string(name) + " is 1, but in ColumnFormat::conll_u that is the token's number: " +
                    "CoNLL-U has words in column 2");
  }
}

void check_arguments(const TokenColumns& columns, const DocumentReaderOptions& text) {
  check_column("word", columns.word, columns.format);
  if (columns.label) check_column("label", *columns.label, columns.format);
  if (columns.label == columns.word) refuse_argument("word and label are both " + std::to_string(columns.word));
  if (text.split != Split::line) refuse_argument("text.split is not line, but in a column file a token is a line");
  if (text.max_document_bytes < 1) {
    refuse_argument("max_document_bytes is " + std::to_string(text.max_document_bytes) + ", and must be at least 1");
  }
}

/// Which of `count` columns is meant, counted from 1; 0 if none of them.
std::size_t place_of(std::int64_t column, std::size_t count) {
  const auto last = static_cast<std::int64_t>(count);
  const std::int64_t place = column < 0 ? column + last + 1 : column;
  return place < 1 || place > last ? 0 : static_cast<std::size_t>(place);
}

/// What is read of a line.
struct Row {
  std::string_view word = {};
  std::string_view label = {};
  std::size_t columns = 0;
  bool has_tab = false;  // as white space between columns
};

/// What the first column of CoNLL-U says a line is.
enum class NodeKind { token, other, unknown };

NodeKind node_kind(std::string_view number) {
  const auto skip_digits = [&] {
    const auto* const end = std::find_if_not(number.begin(), number.end(), packseq::detail::is_digit);
    const bool some = end != number.begin();
    number.remove_prefix(static_cast<std::size_t>(end - number.begin()));
    return some;
  };
  if (!skip_digits()) return NodeKind::unknown;
  if (number.empty()) return NodeKind::token;
  if (number.front() != '-' && number.front() != '.') return NodeKind::unknown;
  number.remove_prefix(1);
  return skip_digits() && number.empty() ? NodeKind::other : NodeKind::unknown;
}

}  // namespace

struct ColumnReader::State {
  LineReader lines;
  TokenColumns columns;
  std::size_t max_bytes;
  std::int64_t line = 0;
  detail::Lines words = {};
  detail::Lines labels = {};
  std::size_t count = 0;              // of the columns of each line, in the file or the sentence, once a token is read,
  std::size_t word_at = 0;            // and which of them the word is,
  std::size_t label_at = 0;           // and the label, if there is one
  bool has_tabs = false;              // between them
  std::size_t judged = 0;             // of the first words,
  bool is_blank_in_each_word = true;  // as far as they are judged

  State(LineReader reader, const TokenColumns& of, const DocumentReaderOptions& text)
      : lines(std::move(reader)), columns(of), max_bytes(static_cast<std::size_t>(text.max_document_bytes)) {}

  bool ends_sentence(std::string_view row) const;
  void check_size(std::size_t bytes) const;
  void check_line_ends(std::string_view row) const;
  void add(std::string_view row);
  Row split(std::string_view row) const;
  void check_count(std::string_view text, const Row& row) const;
  void place_columns(std::size_t of_a_line);
  [[noreturn]] void refuse_count(const std::string& problem, std::size_t found) const;
  void check(const Row& row);
  void judge(std::string_view word);
  [[noreturn]] void refuse_documents(std::int64_t number) const;
  [[noreturn]] void refuse_label(const std::string& problem) const;
  [[noreturn]] void refuse(const std::string& problem) const { lines.refuse(lines.number(), problem); }
};

ColumnReader::ColumnReader(const std::filesystem::path& file, const TokenColumns& columns,
                           const DocumentReaderOptions& text) {
  check_arguments(columns, text);
  state_ = std::make_unique<State>(LineReader(file, text.invalid_utf8), columns, text);
}

ColumnReader::ColumnReader(std::istream& input, std::string name, const TokenColumns& columns,
                           const DocumentReaderOptions& text) {
  check_arguments(columns, text);
  state_ = std::make_unique<State>(LineReader(input, std::move(name), text.invalid_utf8), columns, text);
}

ColumnReader::ColumnReader(ColumnReader&&) noexcept = default;
ColumnReader& ColumnReader::operator=(ColumnReader&&) noexcept = default;
ColumnReader::~ColumnReader() = default;

std::int64_t ColumnReader::line() const noexcept { return state_->line; }

std::optional<Sentence> ColumnReader::next() {
  State& state = *state_;
  state.words.clear();
  state.labels.clear();
  std::size_t bytes = 0;  // of the sentence's lines
  while (const auto row = state.lines.next(state.max_bytes)) {
    state.check_size(row->size());  // it may be cut
    state.check_line_ends(*row);
    if (state.ends_sentence(*row)) {
      if (state.words.empty()) continue;
      break;
    }
    if (state.words.empty()) bytes = 0;
    bytes += row->size() + (bytes > 0 ? 1 : 0);
    state.check_size(bytes);
    state.add(*row);
  }
  if (!state.words.empty()) return Sentence{state.words.text(), state.labels.text()};
  if (state.judged >= fewest_words_to_judge && state.judged < words_to_judge && state.is_blank_in_each_word) {
    state.refuse_documents(state.line);
  }
  return std::nullopt;
}

bool ColumnReader::State::ends_sentence(std::string_view row) const {
  if (row.empty() || is_space(row.front())) return packseq::detail::is_blank(row);
  return columns.format != ColumnFormat::conll_u && detail::is_between_documents(row);
}

/// Takes word and label of a line, if it is a token.
void ColumnReader::State::add(std::string_view row) {
  const bool is_conll_u = columns.format == ColumnFormat::conll_u;
  if (is_conll_u && row.front() == '#') return;
  if (count == 0) has_tabs = is_conll_u || row.find('\t') != std::string_view::npos;
  Row parts = split(row);
  check_count(row, parts);
  if (parts.columns != count) {
    place_columns(parts.columns);
    parts = split(row);
  }
  if (is_conll_u) {
    const auto number = row.substr(0, row.find('\t'));
    const NodeKind kind = node_kind(number);
    if (kind == NodeKind::unknown) {
      refuse("column 1 is '" + packseq::detail::clipped(number, 60) +
             "', and in ColumnFormat::conll_u must be the number of a token");
    }
    if (kind == NodeKind::other) return;
  }
  check(parts);
  if (words.empty()) line = lines.number();
  words.add(parts.word);
  if (columns.label) labels.add(parts.label);
}

Row ColumnReader::State::split(std::string_view row) const {
  Row parts;
  const auto take = [&](const char* begin, const char* behind) {
    ++parts.columns;
    if (parts.columns == word_at) parts.word = {begin, behind};
    if (parts.columns == label_at) parts.label = {begin, behind};
  };
  const char* const end = row.data() + row.size();
  if (has_tabs) {
    for (const char* begin = row.data();;) {
      const auto* const tab = static_cast<const char*>(std::memchr(begin, '\t', static_cast<std::size_t>(end - begin)));
      take(begin, tab == nullptr ? end : tab);
      if (tab == nullptr) return parts;
      begin = tab + 1;
    }
  }
  for (const char* begin = row.data();; ++begin) {
    for (; begin != end && is_space(*begin); ++begin) parts.has_tab |= *begin == '\t';
    if (begin == end) return parts;
    const char* const first = begin;
    while (begin != end && !is_space(*begin)) ++begin;
    take(first, begin);
    if (begin == end) return parts;
    parts.has_tab |= *begin == '\t';
  }
}

void ColumnReader::State::check_count(std::string_view text, const Row& row) const {
  if (row.has_tab) refuse("a tab, but the lines before have blanks between their columns");
  for (const std::int64_t column : {columns.label.value_or(columns.word), columns.word}) {
    if (place_of(column, row.columns) > 0) continue;
    refuse_count(
        ", and column " + std::to_string(column) + " is to be read" +
            (text.front() == '#' ? "; lines that begin with # are comments in ColumnFormat::conll_u alone" : ""),
        row.columns);
  }
  const bool may_differ = words.empty() && columns.format != ColumnFormat::plain;
  if (count == 0 || row.columns == count || may_differ) return;
  refuse_count(", but the lines before have " + std::to_string(count) + documents_instead +
                   (words.empty() && !has_tabs ? "; or do its sentences differ in columns? Then it is of "
                                                 "ColumnFormat::conll_2012"
                                               : ""),
               row.columns);
}

void ColumnReader::State::place_columns(std::size_t of_a_line) {
  count = of_a_line;
  word_at = place_of(columns.word, count);
  if (columns.label) label_at = place_of(*columns.label, count);
  if (word_at == label_at) refuse_count(", so that word and label are the same one", count);
  if (columns.format == ColumnFormat::conll_u && (word_at == 1 || label_at == 1)) {
    refuse_count(", so that word or label is the first one, the token's number", count);
  }
}

void ColumnReader::State::refuse_count(const std::string& problem, std::size_t found) const {
  refuse(std::to_string(found) + (found == 1 ? " column" : " columns") +
         (has_tabs ? " between tabs" : " between blanks") + problem);
}

void ColumnReader::State::check(const Row& row) {
  if (row.word.empty()) refuse("the word, column " + std::to_string(columns.word) + ", is empty");
  if (judged < words_to_judge) judge(row.word);
  if (!columns.label) return;
  if (row.label.empty()) refuse_label("is empty");
  if (has_tabs && std::any_of(row.label.begin(), row.label.end(), is_space))
    refuse_label("holds a blank" + documents_instead);
}

void ColumnReader::State::refuse_label(const std::string& problem) const {
  refuse("the label, column " + std::to_string(*columns.label) + ", " + problem);
}

void ColumnReader::State::check_size(std::size_t bytes) const {
  if (bytes <= max_bytes) return;
  lines.refuse_length(words.empty() ? lines.number() : line, max_bytes, "max_document_bytes");
}

/// Several lines that end otherwise are one line here, of which all but the first columns, or all if it is a comment,
/// would be lost.
void ColumnReader::State::check_line_ends(std::string_view row) const {
  const std::size_t end = row.find('\r');
  if (end == std::string_view::npos || packseq::detail::is_blank(row.substr(end))) return;
  refuse("a carriage return within the line, but lines end in \"\\n\" or \"\\r\\n\": tr '\\r' '\\n' makes them so");
}

void ColumnReader::State::judge(std::string_view word) {
  ++judged;
  is_blank_in_each_word = is_blank_in_each_word && std::any_of(word.begin(), word.end(), is_space);
  if (judged == words_to_judge && is_blank_in_each_word) refuse_documents(lines.number());
}

void ColumnReader::State::refuse_documents(std::int64_t number) const {
  lines.refuse(number, "all of the first " + std::to_string(judged) + " words hold blanks" + documents_instead);
}

}  // namespace packseq::data
