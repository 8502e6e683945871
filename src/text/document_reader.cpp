#include "packseq/text/document_reader.hpp"

#include <stdexcept>
#include <utility>

#include "text/ascii.hpp"
#include "text/line_reader.hpp"

namespace packseq {

DocumentReader::DocumentReader(const std::filesystem::path& file, const DocumentReaderOptions& options)
    : DocumentReader(std::make_unique<detail::LineReader>(file, options.invalid_utf8), options) {}

DocumentReader::DocumentReader(std::istream& input, std::string name, const DocumentReaderOptions& options)
    : DocumentReader(std::make_unique<detail::LineReader>(input, std::move(name), options.invalid_utf8), options) {}

DocumentReader::DocumentReader(std::unique_ptr<detail::LineReader> lines, const DocumentReaderOptions& options)
    : lines_(std::move(lines)),
      split_(options.split),
      max_bytes_(static_cast<std::size_t>(options.max_document_bytes)) {
  if (options.max_document_bytes < 1) {
    throw std::invalid_argument("DocumentReader: max_document_bytes is " + std::to_string(options.max_document_bytes) +
                                ", and must be at least 1");
  }
}

DocumentReader::DocumentReader(DocumentReader&&) noexcept = default;
DocumentReader& DocumentReader::operator=(DocumentReader&&) noexcept = default;
DocumentReader::~DocumentReader() = default;

std::optional<std::string_view> DocumentReader::next() {
  std::optional<std::string_view> line;
  do {
    line = lines_->next(max_bytes_);
    if (!line) return std::nullopt;
    check_size(line->size(), lines_->number());
  } while (detail::is_blank(*line));
  line_ = lines_->number();
  if (split_ == Split::line) return line;

  paragraph_ = *line;
  while ((line = lines_->next(max_bytes_))) {
    check_size(line->size(), line_);  // it may be cut
    if (detail::is_blank(*line)) break;
    check_size(paragraph_.size() + 1 + line->size(), line_);
    paragraph_.append(1, '\n').append(*line);
  }
  return paragraph_;
}

void DocumentReader::check_size(std::size_t bytes, std::int64_t line) const {
  if (bytes <= max_bytes_) return;
  lines_->refuse_length(line, max_bytes_, "max_document_bytes");
}

std::vector<std::string> read_documents(const std::filesystem::path& file, const DocumentReaderOptions& options) {
  DocumentReader reader(file, options);
  std::vector<std::string> documents;
  while (const auto document = reader.next()) documents.emplace_back(*document);
  return documents;
}

}  // namespace packseq
