#include "packseq/text/document_reader.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <istream>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "text/ascii.hpp"
#include "text/utf8.hpp"

namespace packseq {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

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

void check_text(std::string_view line, const std::string& name, std::int64_t line_number) {
  const std::size_t valid = detail::valid_utf8_prefix(line);
  if (valid == line.size()) return;
  const unsigned byte = static_cast<unsigned char>(line[valid]);
  std::array<char, sizeof "0x00"> hexadecimal{};
  std::snprintf(hexadecimal.data(), hexadecimal.size(), "0x%02x", byte);
  throw std::runtime_error(name + ", line " + std::to_string(line_number) + ", byte " + std::to_string(valid + 1) +
                           " (" + hexadecimal.data() +
                           (byte == 0 ? "): a binary file, not text" : "): not valid UTF-8"));
}

}  // namespace

DocumentReader::DocumentReader(const std::filesystem::path& file, Split split)
    : owned_(open(file)), input_(owned_.get()), name_(file.string()), split_(split) {}

DocumentReader::DocumentReader(std::istream& input, std::string name, Split split)
    : input_(&input), name_(std::move(name)), split_(split) {}

DocumentReader::DocumentReader(DocumentReader&&) noexcept = default;
DocumentReader& DocumentReader::operator=(DocumentReader&&) noexcept = default;
DocumentReader::~DocumentReader() = default;

std::optional<std::string_view> DocumentReader::next() {
  do {
    if (!read_line()) return std::nullopt;
  } while (detail::is_blank(buffer_));
  document_line_ = lines_read_;
  if (split_ == Split::line) return buffer_;

  document_ = buffer_;
  while (read_line() && !detail::is_blank(buffer_)) document_.append(1, '\n').append(buffer_);
  return document_;
}

std::int64_t DocumentReader::line() const noexcept { return document_line_; }

bool DocumentReader::read_line() {
  if (!std::getline(*input_, buffer_)) {
    if (input_->eof()) return false;  // a failure sets badbit alone
    throw std::runtime_error(name_ + ", line " + std::to_string(lines_read_ + 1) + ": reading failed");
  }
  ++lines_read_;
  check_text(buffer_, name_, lines_read_);
  if (lines_read_ == 1 && buffer_.starts_with(byte_order_mark)) buffer_.erase(0, byte_order_mark.size());
  if (buffer_.ends_with('\r')) buffer_.pop_back();
  return true;
}

std::vector<std::string> read_documents(const std::filesystem::path& file, Split split) {
  DocumentReader reader(file, split);
  std::vector<std::string> documents;
  while (const auto document = reader.next()) documents.emplace_back(*document);
  return documents;
}

}  // namespace packseq
