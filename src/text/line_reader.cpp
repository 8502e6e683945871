#include "text/line_reader.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
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

}  // namespace

LineReader::LineReader(const std::filesystem::path& file, InvalidUtf8 invalid_utf8)
    : owned_(open_file(file)), input_(owned_.get()), name_(file.string()), invalid_utf8_(invalid_utf8) {}

LineReader::LineReader(std::istream& input, std::string name, InvalidUtf8 invalid_utf8)
    : input_(&input), name_(std::move(name)), invalid_utf8_(invalid_utf8) {}

std::optional<std::string_view> LineReader::next(std::size_t limit) {
  const std::size_t raw_limit = limit + byte_order_mark.size() + std::string_view("\r").size();
  ++number_;
  std::size_t size = 0;
  Part part = read(size, raw_limit);
  if (number_ == 1) check_kind(std::string_view(buffer_.data(), size));
  for (; part == Part::beginning && size <= raw_limit; part = read(size, raw_limit)) {
    // A binary file may have no line ends: it need not be read up to the limit.
    const std::size_t zero = std::string_view(buffer_.data(), size).find('\0');
    if (zero != std::string_view::npos) refuse_byte(&buffer_[zero], binary_file);
  }
  if (part == Part::nothing) return std::nullopt;
  std::string_view line(buffer_.data(), size);
  if (part == Part::beginning) return line;
  if (line.ends_with('\r')) line.remove_suffix(1);
  line = checked(line);
  if (number_ == 1 && line.starts_with(byte_order_mark)) line.remove_prefix(byte_order_mark.size());
  return line;
}

/// Reads more of a line, of which `size` bytes are in the buffer already.
LineReader::Part LineReader::read(std::size_t& size, std::size_t limit) {
  // getline writes a zero byte after the others, and one byte above the limit shows that it is passed.
  if (size + 1 >= buffer_.size()) buffer_.resize(std::min(std::max(2 * buffer_.size(), first_buffer_size), limit + 2));
  input_->getline(buffer_.data() + size, static_cast<std::streamsize>(buffer_.size() - size));
  const bool ended = input_->good();
  const std::size_t count = static_cast<std::size_t>(input_->gcount()) - (ended ? 1 : 0);
  if (input_->bad() || (input_->fail() && !input_->eof() && count == 0)) refuse(number_, "reading failed");
  size += count;
  if (ended) return Part::whole;
  if (input_->eof()) return size > 0 ? Part::whole : Part::nothing;
  input_->clear();  // only the buffer was full
  return Part::beginning;
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
  return name_ + ", line " + std::to_string(number_) + ", byte " + std::to_string(byte - buffer_.data() + 1) + " (" +
         hexadecimal.data() + ")";
}

}  // namespace packseq::detail
