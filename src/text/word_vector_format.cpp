#include "text/word_vector_format.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <stdexcept>
#include <vector>

#include "text/foreign_file.hpp"
#include "text/utf8.hpp"
#include "text/word_vector_row.hpp"

namespace packseq::detail {
namespace {

constexpr std::size_t most_lines = 100;
constexpr std::size_t most_bytes_looked_at = 4096;

/// Looks at the first block of a file.
class Head {
 public:
  Head(std::string_view bytes, bool is_whole, const std::string& name)
      : bytes_(bytes), is_whole_(is_whole), name_(name) {}

  [[noreturn]] void refuse(const std::string& problem) const { throw std::runtime_error(name_ + problem); }

  void check_kind() const {
    if (bytes_.empty()) refuse(": is empty, and holds no word vectors");
    if (const auto foreign = foreign_file(bytes_)) {
      refuse(": is " + std::string(foreign->what) + ": first write it as it was to another file, by " +
             std::string(foreign->command));
    }
    if (bytes_.starts_with("\xBA\x16\x4F\x2F")) {
      refuse(
          ": is a model of fastText, not vectors: read the .vec file that was written beside it, or what "
          "'fasttext print-word-vectors' prints");
    }
    if (bytes_.size() > 1 && bytes_[0] == '\x80' && bytes_[1] >= 2 && bytes_[1] <= 5) {
      refuse(
          ": is a pickled Python object: in Python, write the vectors by save_word2vec_format(file), of gensim's "
          "KeyedVectors");
    }
  }

  /// Reads "400000 300" on the first line.
  void find_header(std::optional<std::int64_t> asked, WordVectorFormat& format) const {
    const std::string_view line = first_line();
    const auto numbers = two_numbers(line);
    if (!numbers) return;
    const auto [count, dimension] = *numbers;
    if (asked && dimension != *asked) {
      if (*asked == 1) return;  // the first row, of a word of digits
      refuse(", line 1: the header tells " + std::to_string(dimension) + " dimensions, but options.dimension is " +
             std::to_string(*asked));
    }
    if (dimension < 1 || dimension > most_dimensions) {
      refuse(", line 1: the header tells " + std::to_string(dimension) + " dimensions, and must tell 1 ... " +
             std::to_string(most_dimensions));
    }
    format.announced = count;
    format.dimension = static_cast<std::size_t>(dimension);
    format.header_size = std::min(mark() + line.size() + 1, bytes_.size());
  }

  /// Whether vectors are in binary after the header. There are none without one.
  bool is_binary(const WordVectorFormat& format) const {
    const std::string_view rows = bytes_.substr(format.header_size);
    const std::string_view line = rows.substr(0, rows.find_first_of("\r\n"));
    std::vector<float> vector(format.dimension);
    if (read_row(line, vector)) return false;
    // A broken row of a text, which reading tells better.
    if (!has_control(line) && 2 * numbers_at_end(line, format.dimension) >= format.dimension) return false;
    // A short vector may look like text by chance, but hardly all of the first ones.
    if (has_control(rows.substr(0, most_bytes_looked_at))) return true;
    // In a text, a character may go on where a first record would end; the block's end may cut one.
    constexpr std::size_t rest = 3;
    const std::size_t record = record_size(rows, format.dimension);
    if (record >= rows.size()) return valid_utf8_prefix(rows) + rest < rows.size();
    return valid_utf8_prefix(rows.substr(0, record + rest)) < record;
  }

  /// Whether the records of a binary file end in a newline: all of the first ones do.
  std::optional<bool> has_newlines(const WordVectorFormat& format) const {
    std::string_view rows = bytes_.substr(format.header_size);
    std::size_t count = 0;
    while (count < most_lines) {
      const std::size_t size = record_size(rows, format.dimension);
      if (size >= rows.size()) break;  // npos, too
      if (rows[size] != '\n') return false;
      rows.remove_prefix(size + 1);
      ++count;
    }
    return count > 0 ? std::optional(true) : std::nullopt;
  }

  /// Whether the header of a text is its first row: "6 1" is both, and the number of rows tells.
  bool is_row(const WordVectorFormat& format) const {
    if (format.dimension != 1 || !is_whole_) return false;
    const auto rows = std::ssize(lines(format, bytes_.size()));
    return *format.announced != rows && *format.announced != rows - 1;  // GloVe counts one too few
  }

  /// The fewest numbers at the end of the first lines.
  std::size_t fewest_numbers() const {
    const auto first = lines({}, most_lines);
    if (first.empty()) {
      refuse(is_whole_ ? ": no word vectors: its lines are empty"
                       : ": no word vectors: no line with a word ends within its first MiB");
    }
    const Line least = *std::min_element(first.begin(), first.end(), has_fewer);
    const auto as_few = static_cast<std::size_t>(
        std::count_if(first.begin(), first.end(), [&](const Line& line) { return line.numbers == least.numbers; }));
    // Words that end in a number are rare: then this row is broken, or no row.
    if (least.numbers == 0 || 2 * as_few < first.size()) {
      refuse(", line " + std::to_string(least.number) + ": " + counted_numbers(least.numbers) + " at its end" +
             (as_few < first.size() ? ", while other lines have more" : "") +
             ": are these word vectors? If so, give their width, options.dimension");
    }
    return least.numbers;
  }

  /// One word may end in a number, but hardly all words do.
  void check_width(const WordVectorFormat& format) const {
    const auto first = lines(format, most_lines);
    const auto is_wide = [&](const Line& line) { return line.numbers > format.dimension; };
    if (first.size() < 2 || 10 * std::count_if(first.begin(), first.end(), is_wide) < 9 * std::ssize(first)) return;
    const auto line = std::find_if(first.begin(), first.end(), is_wide);
    refuse(", line " + std::to_string(line->number) + ": " + counted_numbers(line->numbers) +
           " behind a word, as in nearly all lines, and must be " + std::to_string(format.dimension));
  }

 private:
  struct Line {
    std::int64_t number;
    std::size_t numbers;  ///< At its end.
  };

  std::string_view bytes_;
  bool is_whole_;
  const std::string& name_;

  std::size_t mark() const { return bytes_.starts_with(byte_order_mark) ? byte_order_mark.size() : 0; }

  static bool has_fewer(const Line& a, const Line& b) { return a.numbers < b.numbers; }

  static bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](unsigned char c) { return (c < ' ' && c != '\t' && c != '\r' && c != '\n') || c == '\x7F'; });
  }

  /// The first lines after the header that are not empty.
  std::vector<Line> lines(const WordVectorFormat& format, std::size_t most) const {
    std::vector<Line> found;
    std::int64_t number = format.announced ? 1 : 0;
    std::string_view rest = bytes_.substr(format.announced ? format.header_size : mark());
    while (found.size() < most && !rest.empty()) {
      const std::size_t size = rest.find('\n');
      if (size == std::string_view::npos && !is_whole_) break;
      std::string_view line = rest.substr(0, size);
      rest.remove_prefix(size == std::string_view::npos ? rest.size() : size + 1);
      ++number;
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (!line.empty()) found.push_back({number, trailing_numbers(line)});
    }
    return found;
  }

  std::string_view first_line() const {
    const std::string_view text = bytes_.substr(mark());
    return text.substr(0, text.find('\n'));
  }

  static std::optional<std::array<std::int64_t, 2>> two_numbers(std::string_view line) {
    std::array<std::int64_t, 2> numbers{};
    const char* at = line.data();
    const char* const end = at + line.size();
    for (std::int64_t& number : numbers) {
      while (at != end && is_separator(*at)) ++at;
      const auto [rest, error] = std::from_chars(at, end, number);
      if (error != std::errc{} || *at == '-') return std::nullopt;
      if (rest != end && !is_separator(*rest) && *rest != '\r') return std::nullopt;
      at = rest;
    }
    while (at != end && (is_separator(*at) || *at == '\r')) ++at;
    return at == end ? std::optional(numbers) : std::nullopt;
  }

  /// Of the first binary record: a word, a blank and the numbers; npos if there is no blank.
  static std::size_t record_size(std::string_view rows, std::size_t dimension) {
    const std::size_t blank = rows.find(' ');
    return blank == std::string_view::npos ? blank : blank + 1 + dimension * sizeof(float);
  }
};

}  // namespace

WordVectorFormat word_vector_format(std::string_view bytes, bool is_whole, std::optional<std::int64_t> dimension,
                                    const std::string& name) {
  const Head head(bytes, is_whole, name);
  head.check_kind();
  WordVectorFormat format;
  head.find_header(dimension, format);
  if (format.announced) {
    format.is_binary = head.is_binary(format);
    if (format.is_binary) {
      format.has_newlines = head.has_newlines(format);
      return format;
    }
    if (head.is_row(format)) format = {};
  }
  if (!format.announced) {
    format.dimension = dimension ? static_cast<std::size_t>(*dimension) : head.fewest_numbers();
  }
  head.check_width(format);
  return format;
}

}  // namespace packseq::detail
