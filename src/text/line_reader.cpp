#include "text/line_reader.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <istream>
#include <stdexcept>
#include <utility>

#include "text/foreign_file.hpp"
#include "text/open_file.hpp"
#include "text/text_error.hpp"
#include "text/utf8.hpp"

namespace packseq::detail {
namespace {

constexpr const char* binary_file = "a binary file, not text";
constexpr std::size_t first_buffer_size = 64 * 1024;
constexpr std::size_t fewest_bytes = 16 * 1024;  // that are read at once

}  // namespace

LineReader::LineReader(const std::filesystem::path& file, InvalidUtf8 invalid_utf8)
    : owned_(open_file(file)),
      input_(owned_.get()),
      name_(file.string()),
      invalid_utf8_(invalid_utf8),
      buffer_(first_buffer_size, '\0') {}

LineReader::LineReader(std::istream& input, std::string name, InvalidUtf8 invalid_utf8)
    : input_(&input), name_(std::move(name)), invalid_utf8_(invalid_utf8), buffer_(first_buffer_size, '\0') {}

std::optional<std::string_view> LineReader::next(std::size_t limit) {
  const std::size_t raw_limit = limit + byte_order_mark.size() + std::string_view("\r").size();
  ++number_;
  const char* const found = find_line_end(begin_);
  std::size_t size = static_cast<std::size_t>(found - &buffer_[begin_]);
  bool is_whole = found != &buffer_[end_];
  if (!is_whole) is_whole = read_line(size, raw_limit);
  if (number_ == 1) check_kind({&buffer_[begin_], end_ - begin_});
  if (!is_whole && size == 0) return std::nullopt;
  std::string_view line(&buffer_[begin_], size);
  if (size <= raw_limit) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (begin_ + size > valid_) line = checked(line);
    if (number_ == 1 && line.starts_with(byte_order_mark)) line.remove_prefix(byte_order_mark.size());
  }
  begin_ += size + (is_whole ? 1 : 0);
  return line;
}

/// The next line end at or behind this place among the bytes that are read; where they end, if there is none.
const char* LineReader::find_line_end(std::size_t place) const {
  const void* const end = std::memchr(&buffer_[place], '\n', end_ - place);
  return end == nullptr ? &buffer_[end_] : static_cast<const char*>(end);
}

/// Reads on until a line end, of which `size` bytes are there already; false if there is none within the limit.
bool LineReader::read_line(std::size_t& size, std::size_t limit) {
  while (size <= limit && read_more()) {
    const char* const line = &buffer_[begin_];
    // A binary file may have no line ends: it need not be read up to the limit.
    const std::string_view fresh(line + size, end_ - begin_ - size);
    const char* const end = find_line_end(begin_ + size);
    size = static_cast<std::size_t>(end - line);
    if (end != &buffer_[end_]) return true;
    if (number_ == 1) check_kind({line, size});
    const std::size_t zero = fresh.find('\0');
    if (zero != std::string_view::npos) refuse_byte(&fresh[zero], binary_file);
  }
  return false;
}

/// Reads what the stream has at hand, at least a byte; false at its end. What is unread goes to the buffer's beginning.
bool LineReader::read_more() {
  if (begin_ > 0) std::memmove(buffer_.data(), &buffer_[begin_], end_ - begin_);
  valid_ = std::max(valid_, begin_) - begin_;
  end_ -= begin_;
  begin_ = 0;
  if (buffer_.size() - end_ < fewest_bytes) buffer_.resize(2 * buffer_.size());
  const bool is_at_end = input_->peek() == std::istream::traits_type::eof();
  if (input_->bad() || (input_->fail() && !input_->eof())) refuse(number_, "reading failed");
  if (is_at_end) return false;
  end_ += read_at_hand(&buffer_[end_], buffer_.size() - end_);
  valid_ += valid_utf8_prefix({&buffer_[valid_], end_ - valid_});
  return true;
}

/// Waits for no more than a line. How many bytes it has read.
std::size_t LineReader::read_at_hand(char* to, std::size_t most) {
  const auto count = static_cast<std::size_t>(input_->readsome(to, static_cast<std::streamsize>(most)));
  if (count > 0) return count;
  // The stream cannot tell how much that is. getline writes a zero byte after the others.
  input_->getline(to, static_cast<std::streamsize>(most));
  const auto of_line = static_cast<std::size_t>(input_->gcount());
  if (input_->good()) to[of_line - 1] = '\n';
  if (input_->fail() && !input_->bad() && !input_->eof()) input_->clear();  // only the buffer was full
  return of_line;
}

/// The line, if it is UTF-8 or is to be made so.
std::string_view LineReader::checked(std::string_view line) {
  const std::size_t valid = valid_utf8_prefix(line);
  if (valid == line.size()) return line;
  const bool refused = invalid_utf8_ == InvalidUtf8::refuse;
  const std::size_t zero = refused && line[valid] != '\0' ? std::string_view::npos : line.find('\0');
  if (zero != std::string_view::npos) refuse_byte(&line[zero], binary_file);
  if (refused) refuse_utf8(&line[valid]);
  replaced_ = replaced_utf8(line);
  return replaced_;
}

void LineReader::refuse(std::int64_t number, const std::string& problem) const {
  throw std::runtime_error(name_ + ", line " + std::to_string(number) + ": " + problem);
}

void LineReader::refuse_length(std::int64_t number, std::size_t bytes, const std::string& option) const {
  throw TextError(
      TextError::Kind::too_long,
      name_ + ", line " + std::to_string(number) + ": the document is longer than " + std::to_string(bytes) + " bytes",
      ", which is " + option);
}

void LineReader::check_kind(std::string_view first_bytes) const {
  const auto foreign = foreign_file(first_bytes);
  if (!foreign) return;
  throw TextError(TextError::Kind::foreign, name_ + ": is " + std::string(foreign->what),
                  ", and no UTF-8: read what this writes, " + std::string(foreign->command),
                  std::string(foreign->command));
}

void LineReader::refuse_byte(const char* byte, const std::string& problem) const {
  throw std::runtime_error(place_of(byte) + ": " + problem);
}

void LineReader::refuse_utf8(const char* byte) const {
  throw TextError(TextError::Kind::invalid_utf8, place_of(byte) + ": not valid UTF-8",
                  "; what is in Latin-1 or Windows-1252 becomes so by iconv -f WINDOWS-1252 -t UTF-8, and "
                  "InvalidUtf8::replace reads it as it is");
}

std::string LineReader::place_of(const char* byte) const {
  std::array<char, sizeof "0x00"> hexadecimal{};
  std::snprintf(hexadecimal.data(), hexadecimal.size(), "0x%02x",
                static_cast<unsigned>(static_cast<unsigned char>(*byte)));
  return name_ + ", line " + std::to_string(number_) + ", byte " + std::to_string(byte - &buffer_[begin_] + 1) + " (" +
         hexadecimal.data() + ")";
}

}  // namespace packseq::detail
