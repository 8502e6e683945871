#include "packseq/text/word_vectors.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <istream>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "text/block_buffer.hpp"
#include "text/line_reader.hpp"
#include "text/open_file.hpp"
#include "text/utf8.hpp"
#include "text/watched_file.hpp"
#include "text/word_vector_format.hpp"
#include "text/word_vector_row.hpp"

namespace packseq {
namespace {

constexpr std::size_t most_line_bytes = std::size_t{64} << 20;
constexpr std::size_t most_word_bytes = std::size_t{1} << 20;

const WordVectorOptions& checked(const WordVectorOptions& options) {
  if (options.dimension && (*options.dimension < 1 || *options.dimension > detail::most_dimensions)) {
    throw std::invalid_argument("WordVectorReader: dimension is " + std::to_string(*options.dimension) +
                                ", and must be in 1 ... " + std::to_string(detail::most_dimensions));
  }
  return options;
}

/// Pipes have no size, and change as they are read.
std::optional<detail::WatchedFile> watched(const std::filesystem::path& file) {
  std::error_code ignored;  // what cannot be looked at cannot be opened either
  if (!std::filesystem::is_regular_file(file, ignored)) return std::nullopt;
  return detail::WatchedFile(file);
}

/// Binary files are little-endian.
void to_this_machine(std::span<float> vector) {
  if constexpr (std::endian::native == std::endian::big) {
    for (float& value : vector) {
      auto bytes = std::as_writable_bytes(std::span(&value, 1));
      std::reverse(bytes.begin(), bytes.end());
    }
  }
}

}  // namespace

struct WordVectorReader::State {
  std::optional<detail::WatchedFile> watched;
  std::unique_ptr<std::istream> owned;
  std::string name;
  InvalidUtf8 invalid_utf8;
  detail::BlockBuffer buffer;
  detail::WordVectorFormat format;
  std::istream stream;
  detail::LineReader lines;   // of a text
  std::uint64_t byte = 0;     // of a binary file: how many are read
  std::string word = {};      // likewise
  std::vector<float> vector;  // the latest
  std::int64_t count = 0;

  State(std::optional<detail::WatchedFile> watched_file, std::unique_ptr<std::istream> owned_input, std::istream& input,
        std::string input_name, const WordVectorOptions& options)
      : watched(std::move(watched_file)),
        owned(std::move(owned_input)),
        name(std::move(input_name)),
        invalid_utf8(options.invalid_utf8),
        buffer(input, name),
        format(detail::word_vector_format(buffer.head(), buffer.is_whole(), options.dimension, name)),
        stream(&buffer),
        lines(stream, name, options.invalid_utf8),
        vector(format.dimension) {
    if (format.is_binary) {
      stream.ignore(static_cast<std::streamsize>(format.header_size));
      byte = format.header_size;
    } else if (format.header_size > 0) {
      lines.next(most_line_bytes);
    }
  }

  std::optional<WordVector> next_line();
  std::optional<WordVector> next_record();
  void read_newline(std::uint64_t begin);
  std::string_view checked_word(std::uint64_t begin);
  [[noreturn]] void refuse_record(std::uint64_t at, const std::string& problem) const;
};

WordVectorReader::WordVectorReader(const std::filesystem::path& file, const WordVectorOptions& options) {
  checked(options);
  auto watched_file = watched(file);
  auto input = detail::open_file(file);
  std::istream& stream = *input;
  state_ = std::make_unique<State>(std::move(watched_file), std::move(input), stream, file.string(), options);
}

WordVectorReader::WordVectorReader(std::istream& input, std::string name, const WordVectorOptions& options)
    : state_(std::make_unique<State>(std::nullopt, nullptr, input, std::move(name), checked(options))) {}

WordVectorReader::WordVectorReader(WordVectorReader&&) noexcept = default;
WordVectorReader& WordVectorReader::operator=(WordVectorReader&&) noexcept = default;
WordVectorReader::~WordVectorReader() = default;

std::optional<WordVector> WordVectorReader::next() {
  const auto row = state_->format.is_binary ? state_->next_record() : state_->next_line();
  if (row) {
    ++state_->count;
  } else if (state_->watched) {
    state_->watched->check_unchanged();
  }
  return row;
}

std::int64_t WordVectorReader::dimension() const noexcept {
  return static_cast<std::int64_t>(state_->format.dimension);
}

std::optional<std::int64_t> WordVectorReader::announced() const noexcept { return state_->format.announced; }

std::int64_t WordVectorReader::count() const noexcept { return state_->count; }

std::optional<WordVector> WordVectorReader::State::next_line() {
  std::optional<std::string_view> line;
  do {
    line = lines.next(most_line_bytes);
    if (!line) return std::nullopt;
  } while (line->empty());
  if (line->size() > most_line_bytes) lines.refuse(lines.number(), "longer than 64 MiB");
  const auto found = detail::read_row(*line, vector);
  if (!found) lines.refuse(lines.number(), detail::row_problem(*line, vector.size()));
  return WordVector{*found, vector};
}

std::optional<WordVector> WordVectorReader::State::next_record() {
  if (buffer.sgetc() == std::streambuf::traits_type::eof()) return std::nullopt;
  const std::uint64_t begin = byte;
  if (!buffer.take_until(' ', most_word_bytes, word)) {
    refuse_record(begin, word.size() > most_word_bytes ? "no word ends within a MiB" : "the file ends within a word");
  }
  const std::size_t size = vector.size() * sizeof(float);
  auto* const numbers = static_cast<char*>(static_cast<void*>(vector.data()));
  if (static_cast<std::size_t>(buffer.sgetn(numbers, static_cast<std::streamsize>(size))) < size) {
    refuse_record(begin, "the file ends within its vector");
  }
  to_this_machine(vector);
  byte += word.size() + 1 + size;
  if (!format.has_newlines) format.has_newlines = buffer.sgetc() == '\n';
  if (*format.has_newlines) read_newline(begin);
  return WordVector{checked_word(begin), vector};
}

void WordVectorReader::State::read_newline(std::uint64_t begin) {
  const auto end = buffer.sbumpc();
  if (end == std::streambuf::traits_type::eof()) return;  // the last one may lack it
  if (end != '\n') refuse_record(begin, "no newline behind its vector, as the others have");
  ++byte;
}

std::string_view WordVectorReader::State::checked_word(std::uint64_t begin) {
  const std::size_t valid = detail::valid_utf8_prefix(word);
  if (valid == word.size()) return word;
  const std::string reason = ": if the word before it holds a blank, no reader can tell where its vector begins";
  const std::size_t zero = word.find('\0');
  if (zero != std::string::npos) refuse_record(begin + zero, "a zero byte in a word" + reason);
  if (invalid_utf8 == InvalidUtf8::refuse) {
    refuse_record(begin + valid,
                  "a word that is not valid UTF-8" + reason + "; else read it with invalid_utf8 = replace");
  }
  word = detail::replaced_utf8(word);
  return word;
}

void WordVectorReader::State::refuse_record(std::uint64_t at, const std::string& problem) const {
  throw std::runtime_error(name + ", record " + std::to_string(count + 1) + ", byte " + std::to_string(at + 1) + ": " +
                           problem);
}

}  // namespace packseq
