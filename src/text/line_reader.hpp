#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "packseq/text/document_reader.hpp"

namespace packseq::detail {

/// Reads the lines of a UTF-8 text, without "\n" or "\r\n" at their ends and without a byte-order mark at the start.
class LineReader {
 public:
  /// @throws std::runtime_error if `file` does not exist, is a directory, or cannot be opened.
  LineReader(const std::filesystem::path& file, InvalidUtf8 invalid_utf8);

  /// `input` must outlive the reader; `name` stands for it in error messages.
  LineReader(std::istream& input, std::string name, InvalidUtf8 invalid_utf8);

  /// The next line, or nothing at the end of the text. The view is valid until the next call. A line longer than
  /// `limit` is cut somewhere above it and not checked: the caller must refuse it.
  /// @throws std::runtime_error, naming file, line and byte, for a zero byte.
  /// @throws TextError for what is not UTF-8 unless it is replaced, and for a file that is known to be no text.
  /// @throws std::runtime_error if the text cannot be read further.
  std::optional<std::string_view> next(std::size_t limit);

  /// The line that the latest call of `next` read or looked for, counted from 1.
  std::int64_t number() const noexcept { return number_; }

  /// @throws std::runtime_error: file, line `number` and `problem`.
  [[noreturn]] void refuse(std::int64_t number, const std::string& problem) const;

  /// @throws TextError: a document that begins on line `number` is longer than `bytes`, which this option says.
  [[noreturn]] void refuse_length(std::int64_t number, std::size_t bytes, const std::string& option) const;

 private:
  std::unique_ptr<std::istream> owned_;
  std::istream* input_;
  std::string name_;
  InvalidUtf8 invalid_utf8_;
  std::string buffer_;     // of blocks, twice as large as the longest line at most
  std::size_t begin_ = 0;  // of what is not given out yet, in the buffer
  std::size_t end_ = 0;    // of what is read
  std::size_t valid_ = 0;  // up to here it is UTF-8 without zero bytes; what is behind may be
  std::string replaced_;
  std::int64_t number_ = 0;

  const char* find_line_end(std::size_t place) const;
  bool read_line(std::size_t& size, std::size_t limit);
  bool read_more();
  std::size_t read_at_hand(char* to, std::size_t most);
  std::string_view checked(std::string_view line);
  void check_kind(std::string_view first_bytes) const;
  [[noreturn]] void refuse_byte(const char* byte, const std::string& problem) const;
  [[noreturn]] void refuse_utf8(const char* byte) const;
  std::string place_of(const char* byte) const;
};

}  // namespace packseq::detail
