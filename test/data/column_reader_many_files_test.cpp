// The column reader reads many small random files as a slow one does that is written down here anew: the same
// sentences, and an error in the same line.

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "packseq/data/column_reader.hpp"
#include "packseq/text/tokenizer.hpp"
#include "support/batches.hpp"

namespace packseq::data {
namespace {

using Words = std::vector<std::string>;

/// What is in a file before its end, or before the line that is refused.
struct ColumnFile {
  std::vector<std::string> sentences = {};  // "line: words = labels"
  std::int64_t refused = 0;                 // the line; 0 if none is

  friend bool operator==(const ColumnFile& a, const ColumnFile& b) {
    return a.sentences == b.sentences && a.refused == b.refused;
  }
  friend std::ostream& operator<<(std::ostream& stream, const ColumnFile& file) {
    for (const auto& sentence : file.sentences) stream << sentence << '\n';
    return stream << "refused " << file.refused;
  }
};

std::string joined(const Words& words) {
  std::string all;
  for (const auto& word : words) all += word + '|';
  return all;
}

/// Each line of a text; a carriage return before its end is no part of it.
Words lines_of(const std::string& text) {
  Words lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

bool holds(const std::string& text, const char* characters) { return text.find_first_of(characters) != text.npos; }

constexpr auto* white = " \t\v\f\r";
constexpr auto* digits = "0123456789";

class SlowReader {
 public:
  explicit SlowReader(const TokenColumns& columns) : columns_(columns) {}

  ColumnFile read(const std::string& text) {
    const Words lines = lines_of(text);
    for (line_ = 1; line_ <= static_cast<std::int64_t>(lines.size()); ++line_) {
      if (!reads(lines[static_cast<std::size_t>(line_ - 1)])) return {sentences_, line_};
    }
    end_sentence();
    if (words_ >= 4 && words_ < 10 && all_hold_blanks_) return {sentences_, begin_};
    return {sentences_, 0};
  }

 private:
  bool is_conll_u() const { return columns_.format == ColumnFormat::conll_u; }

  void end_sentence() {
    if (!sentence_[0].empty()) {
      sentences_.push_back(std::to_string(begin_) + ": " + joined(sentence_[0]) + " = " + joined(sentence_[1]));
    }
    for (Words& words : sentence_) words.clear();
  }

  static bool is_mark(const std::string& line) {
    const std::string first = line.substr(0, line.find_first_of(white));
    const std::string two = line.substr(0, line.find_first_of(white, std::min(line.size(), first.size() + 1)));
    return first == "-DOCSTART-" || two == "#begin document" || two == "#end document";
  }

  Words split(const std::string& line) const {
    Words parts;
    std::istringstream stream(line);
    if (tabs_ != 1) {
      for (std::string part; stream >> part;) parts.push_back(part);
      return parts;
    }
    for (std::string part; std::getline(stream, part, '\t');) parts.push_back(part);
    if (line.empty() || line.back() == '\t') parts.emplace_back();
    return parts;
  }

  static std::int64_t place(std::int64_t column, std::int64_t count) {
    return column < 0 ? count + 1 + column : column;
  }

  /// Takes a line; false if it is refused.
  bool reads(const std::string& line) {
    const auto carriage_return = line.find('\r');
    if (carriage_return != line.npos && line.find_first_not_of(white, carriage_return) != line.npos) return false;
    if (line.find_first_not_of(white) == line.npos || (!is_conll_u() && is_mark(line))) {
      end_sentence();
      return true;
    }
    if (is_conll_u() && line[0] == '#') return true;
    if (tabs_ < 0) tabs_ = is_conll_u() || holds(line, "\t") ? 1 : 0;
    if (tabs_ == 0 && holds(line, "\t")) return false;
    return takes(split(line));
  }

  bool takes(const Words& parts) {
    const auto count = static_cast<std::int64_t>(parts.size());
    const std::int64_t word = place(columns_.word, count);
    const std::int64_t label = columns_.label ? place(*columns_.label, count) : 0;
    if (word < 1 || word > count || (columns_.label && (label < 1 || label > count)) || word == label) return false;
    const bool may_differ = columns_.format != ColumnFormat::plain && sentence_[0].empty();
    if (count_ != 0 && count != count_ && !may_differ) return false;
    count_ = count;
    if (is_conll_u()) {
      if (word == 1 || label == 1) return false;
      const std::string& number = parts[0];
      const auto end = std::min(number.size(), number.find_first_not_of(digits));
      if (end == 0) return false;
      if (end < number.size()) return is_range(number, end);
    }
    return takes(parts[static_cast<std::size_t>(word - 1)],
                 columns_.label ? &parts[static_cast<std::size_t>(label - 1)] : nullptr);
  }

  static bool is_range(const std::string& number, std::size_t end) {
    return holds(number.substr(end, 1), "-.") && end + 1 < number.size() &&
           number.find_first_not_of(digits, end + 1) == number.npos;
  }

  bool takes(const std::string& word, const std::string* label) {
    if (word.empty()) return false;
    if (words_ < 10) {
      ++words_;
      all_hold_blanks_ = all_hold_blanks_ && holds(word, white);
      if (words_ == 10 && all_hold_blanks_) return false;
    }
    if (label != nullptr && (label->empty() || holds(*label, white))) return false;
    if (sentence_[0].empty()) begin_ = line_;
    sentence_[0].push_back(word);
    if (label != nullptr) sentence_[1].push_back(*label);
    return true;
  }

  TokenColumns columns_;
  std::vector<std::string> sentences_ = {};
  Words sentence_[2] = {};  // words and labels
  std::int64_t line_ = 0;
  std::int64_t begin_ = 0;  // of the sentence
  std::int64_t count_ = 0;  // of columns
  int tabs_ = -1;           // between them; -1 until that is known
  int words_ = 0;           // of the first ten
  bool all_hold_blanks_ = true;
};

ColumnFile read(const std::string& text, const TokenColumns& columns) {
  ColumnFile file;
  std::istringstream input(text);
  ColumnReader reader(input, "text", columns);
  try {
    while (const auto sentence = reader.next()) {
      Words parts[2];
      split_lines(sentence->words, [&](std::string_view word) { parts[0].emplace_back(word); });
      split_lines(sentence->labels, [&](std::string_view label) { parts[1].emplace_back(label); });
      file.sentences.push_back(std::to_string(reader.line()) + ": " + joined(parts[0]) + " = " + joined(parts[1]));
    }
  } catch (const std::runtime_error& error) {
    file.refused = std::stoll(std::string(error.what()).substr(std::string("text, line ").size()));
  }
  return file;
}

TokenColumns random_columns(test::Choices& choices) {
  TokenColumns columns{
      .format = choices.one_of(std::vector{ColumnFormat::plain, ColumnFormat::conll_2012, ColumnFormat::conll_u})};
  std::vector<std::int64_t> places = {2, 3, -1, -2};
  if (columns.format != ColumnFormat::conll_u) places.push_back(1);
  columns.word = choices.one_of(places);
  std::erase(places, columns.word);
  if (!choices.once_in(4)) columns.label = choices.one_of(places);
  return columns;
}

/// Most lines are as the first ones; some have another number of columns, other blanks, or what means something.
std::string random_file(test::Choices& choices, const TokenColumns& columns) {
  const bool is_conll_u = columns.format == ColumnFormat::conll_u;
  const bool has_tabs = is_conll_u || choices.once_in(2);
  const bool has_long_words = has_tabs && choices.once_in(6);
  const std::int64_t usual = choices.between(2, 4);
  const std::int64_t faults = choices.one_of(std::vector{5, 40, 400, 4000});  // one among so many
  const Words ends = choices.once_in(4) ? Words{"\r\n"} : Words{"\n"};
  const Words words = {"go", "#", "-", "O", "B-x", "é", "1"};
  const Words odd = {"", "#", "-DOCSTART-", "#begin", "New York", "-DOCSTART-s", "a\r", "\u00A0", "a\vb"};
  const Words numbers = {"1", "2", "12", "1-2", "8.1", "0.1"};
  const Words odd_numbers = {"", "-1", "1-", "x", "1.2.3", "#", "1 "};
  const Words whole = {"#begin document (a)", "#end document", "-DOCSTART- -X- O", "# comment", " \t", "\r", "  go O"};
  std::string text = choices.once_in(16) ? "\xEF\xBB\xBF" : "";
  for (std::int64_t line = choices.between(0, 14); line > 0; --line) {
    if (choices.once_in(5)) {
      if (choices.once_in(2)) text += choices.one_of(whole);
      text += choices.one_of(ends);
      continue;
    }
    const std::int64_t count = choices.once_in(faults) ? choices.between(1, 5) : usual;
    for (std::int64_t i = 1; i <= count; ++i) {
      if (i > 1) text += choices.once_in(faults) ? (choices.once_in(2) ? "\t" : "  ") : has_tabs ? "\t" : " ";
      const bool is_odd = choices.once_in(faults);
      if (is_conll_u && i == 1) {
        text += choices.one_of(is_odd ? odd_numbers : numbers);
      } else {
        text += has_long_words && i == columns.word ? "New York" : choices.one_of(is_odd ? odd : words);
      }
    }
    if (line > 1 || choices.once_in(2)) text += choices.once_in(faults) ? "\n" : choices.one_of(ends);
  }
  return text;
}

TEST(ColumnReaderOfManyFiles, ReadsAsASlowReader) {
  std::int64_t whole = 0;
  std::int64_t refused = 0;
  test::for_many_batches(5'000, [&](std::int64_t number) {
    test::Choices choices(number);
    const TokenColumns columns = random_columns(choices);
    const std::string text = random_file(choices, columns);
    const ColumnFile expected = SlowReader(columns).read(text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text);
    EXPECT_EQ(read(text, columns), expected)
        << text << "\nword " << columns.word << ", label " << columns.label.value_or(0) << ", format "
        << static_cast<int>(columns.format);
    ++(expected.refused > 0 ? refused : whole);
  });
  const std::int64_t files = whole + refused;
  if (HasFailure() || files < 100) return;
  EXPECT_GT(whole, files / 4);
  EXPECT_GT(refused, files / 4);
}

}  // namespace
}  // namespace packseq::data
