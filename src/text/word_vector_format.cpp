#include "text/word_vector_format.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>
#include <vector>

#include "text/foreign_file.hpp"
#include "text/utf8.hpp"
#include "text/word_vector_row.hpp"

namespace packseq::detail {
namespace {

constexpr std::size_t most_lines = 100;
constexpr std::size_t most_bytes_looked_at = 4096;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

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
    std::vector<float> vector(format.dimension);
    if (read_row(rows.substr(0, rows.find_first_of("\r\n")), vector)) return false;
    // A short vector may look like text by chance, but hardly all of the first ones.
    const std::string_view some = rows.substr(0, most_bytes_looked_at);
    const bool has_control = std::any_of(some.begin(), some.end(), [](char c) {
      return (c >= 0 && c < ' ' && c != '\t' && c != '\r' && c != '\n') || c == '\x7F';
    });
    const std::size_t record = record_size(rows, format.dimension);
    const std::string_view first = rows.substr(0, record);
    const std::size_t cut = record > rows.size() ? 3 : 0;  // bytes of a character, which the block's end may cut
    return has_control || valid_utf8_prefix(first) + cut < first.size();
  }

  /// Whether the records of a binary file end in a newline: all of the first ones do.
  bool has_newlines(const WordVectorFormat& format) const {
    std::string_view rows = bytes_.substr(format.header_size);
    std::size_t count = 0;
    while (count < most_lines) {
      const std::size_t size = record_size(rows, format.dimension);
      if (size >= rows.size()) break;  // npos, too
      if (rows[size] != '\n') return false;
      rows.remove_prefix(size + 1);
      ++count;
    }
    return count > 0;
  }

  /// The fewest numbers at the end of the first lines.
  std::size_t fewest_numbers() const {
    std::vector<std::size_t> counts;
    std::string_view rest = bytes_.substr(mark());
    std::int64_t number = 0;
    std::int64_t line_of_fewest = 0;
    while (counts.size() < most_lines && !rest.empty()) {
      const std::size_t size = rest.find('\n');
      if (size == std::string_view::npos && !is_whole_) break;
      std::string_view line = rest.substr(0, size);
      rest.remove_prefix(size == std::string_view::npos ? rest.size() : size + 1);
      ++number;
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (line.empty()) continue;
      counts.push_back(trailing_numbers(line));
      if (counts.back() <= *std::min_element(counts.begin(), counts.end())) line_of_fewest = number;
    }
    if (counts.empty()) refuse(": no word vectors: no line ends within its first MiB");
    const std::size_t fewest = *std::min_element(counts.begin(), counts.end());
    const auto as_few = static_cast<std::size_t>(std::count(counts.begin(), counts.end(), fewest));
    // Words that end in a number are rare: then this row is broken, or no row.
    if (fewest == 0 || 2 * as_few < counts.size()) {
      refuse(", line " + std::to_string(line_of_fewest) + ": " + std::to_string(fewest) + " numbers at its end" +
             (as_few < counts.size() ? ", while other lines have more" : "") +
             ": are these word vectors? If so, give their width, options.dimension");
    }
    return fewest;
  }

 private:
  std::string_view bytes_;
  bool is_whole_;
  const std::string& name_;

  std::size_t mark() const { return bytes_.starts_with(byte_order_mark) ? byte_order_mark.size() : 0; }

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
    format.has_newlines = format.is_binary && head.has_newlines(format);
  } else {
    format.dimension = dimension ? static_cast<std::size_t>(*dimension) : head.fewest_numbers();
  }
  return format;
}

}  // namespace packseq::detail
