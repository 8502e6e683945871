#include "text/line_reader.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <istream>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "text/utf8.hpp"

namespace packseq::detail {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::string_view replacement_character = "\xEF\xBF\xBD";
constexpr const char* binary_file = "a binary file, not text";
constexpr std::size_t first_buffer_size = 64 * 1024;

std::unique_ptr<std::istream> open(const std::filesystem::path& file) {
  // A path that status() cannot look at cannot be opened either, and then the reason is known.
  std::error_code ignored;
  const auto type = std::filesystem::status(file, ignored).type();
  if (type == std::filesystem::file_type::not_found) {
    throw std::runtime_error(file.string() + ": no such file");
  }
  // A stream would open a directory, and fail only when it is read.
  if (type == std::filesystem::file_type::directory) {
    throw std::runtime_error(file.string() + ": is a directory");
  }
  auto stream = std::make_unique<std::ifstream>(file, std::ios::binary);
  if (!stream->is_open()) {
    const std::string reason = std::generic_category().message(errno);
    throw std::runtime_error(file.string() + ": cannot be opened (" + reason + ")");
  }
  return stream;
}

}  // namespace

LineReader::LineReader(const std::filesystem::path& file, InvalidUtf8 invalid_utf8)
    : owned_(open(file)), input_(owned_.get()), name_(file.string()), invalid_utf8_(invalid_utf8) {}

LineReader::LineReader(std::istream& input, std::string name, InvalidUtf8 invalid_utf8)
    : input_(&input), name_(std::move(name)), invalid_utf8_(invalid_utf8) {}

std::optional<std::string_view> LineReader::next(std::size_t limit) {
  const std::size_t raw_limit = limit + byte_order_mark.size() + std::string_view("\r").size();
  ++number_;
  std::size_t size = 0;
  Part part = read(size, raw_limit);
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
  std::size_t valid = valid_utf8_prefix(line);
  if (valid == line.size()) return line;
  replaced_.clear();
  while (true) {
    replaced_.append(line.substr(0, valid));
    line.remove_prefix(valid);
    if (line.empty()) return replaced_;
    if (line.front() == '\0') refuse_byte(line.data(), binary_file);
    if (invalid_utf8_ == InvalidUtf8::refuse) refuse_byte(line.data(), "not valid UTF-8");
    replaced_.append(replacement_character);
    line.remove_prefix(utf8_head(line).size);
    valid = valid_utf8_prefix(line);
  }
}

void LineReader::refuse(std::int64_t number, const std::string& problem) const {
  throw std::runtime_error(name_ + ", line " + std::to_string(number) + ": " + problem);
}

void LineReader::refuse_byte(const char* byte, const std::string& problem) const {
  std::array<char, sizeof "0x00"> hexadecimal{};
  std::snprintf(hexadecimal.data(), hexadecimal.size(), "0x%02x",
                static_cast<unsigned>(static_cast<unsigned char>(*byte)));
  throw std::runtime_error(name_ + ", line " + std::to_string(number_) + ", byte " +
                           std::to_string(byte - buffer_.data() + 1) + " (" + hexadecimal.data() + "): " + problem);
}

}  // namespace packseq::detail
