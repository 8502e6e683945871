#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "packseq/export.hpp"

namespace packseq {

namespace detail {
class LineReader;
}

/// Where one document ends and the next begins.
enum class Split {
  line,       ///< Each line that is not blank is a document.
  paragraph,  ///< Each run of lines that are not blank is a document, its lines joined by `'\n'`.
};

/// What becomes of bytes that are not UTF-8. A zero byte is always refused: it is the mark of a binary file.
enum class InvalidUtf8 {
  refuse,   ///< They are an error.
  replace,  ///< They become U+FFFD, one for each maximal subpart of a character (The Unicode Standard, section 3.9).
};

/// How a text is read.
struct DocumentReaderOptions {
  Split split = Split::line;                       ///< What a document is.
  InvalidUtf8 invalid_utf8 = InvalidUtf8::refuse;  ///< What becomes of bytes that are not UTF-8.
  /// A longer document is refused, so that memory stays bounded whatever a file holds; 64 MiB.
  std::int64_t max_document_bytes = std::int64_t{64} << 20;
};

/// Reads the documents of a UTF-8 text one at a time, so that a file may be larger than memory.
///
/// Lines end in "\n" or "\r\n", the last one also in "\r" or nothing; a byte-order mark at the start is dropped. Blank
/// lines (nothing but ASCII white space) separate documents and are never one themselves. Different readers may be used
/// by different threads. A reader that has thrown has lost its place in the text, and must not be read further.
/// @code
/// packseq::DocumentReader reader("corpus.txt", {.split = packseq::Split::paragraph});
/// while (const auto document = reader.next()) {
///   std::cout << "line " << reader.line() << ": " << *document << '\n';
/// }
/// @endcode
class PACKSEQ_EXPORT DocumentReader {
 public:
  /// Opens a file.
  /// @throws std::runtime_error if `file` does not exist, is a directory, or cannot be opened.
  /// @throws std::invalid_argument if `options.max_document_bytes` is less than 1.
  explicit DocumentReader(const std::filesystem::path& file, const DocumentReaderOptions& options = {});

  /// Reads from a stream, which must outlive the reader; `name` stands for it in error messages.
  /// @throws std::invalid_argument if `options.max_document_bytes` is less than 1.
  /// @code
  /// std::istringstream text("on your mark\nget set\ngo\n");
  /// packseq::DocumentReader reader(text, "a text in memory");
  /// @endcode
  DocumentReader(std::istream& input, std::string name, const DocumentReaderOptions& options = {});

  /// A reader that was moved from can be assigned to or destroyed, and nothing else.
  DocumentReader(DocumentReader&&) noexcept;
  DocumentReader& operator=(DocumentReader&&) noexcept;  ///< Likewise.
  ~DocumentReader();

  /// The next document, or nothing at the end of the text. The view is valid until the next call.
  /// @throws std::runtime_error that names file, line and byte, if a line holds a zero byte, or is not valid UTF-8
  ///   where that is refused.
  /// @throws std::runtime_error that names the file and what makes UTF-8 of it, if it begins as UTF-16, a compressed
  ///   file, a zip archive or a PDF document does.
  /// @throws std::runtime_error that names file and line, if a document or a blank line is longer than
  ///   `max_document_bytes`.
  /// @throws std::runtime_error if the file cannot be read further.
  std::optional<std::string_view> next();

  /// The line, counted from 1, on which the latest document began; 0 before the first.
  std::int64_t line() const noexcept { return line_; }

 private:
  std::unique_ptr<detail::LineReader> lines_;
  Split split_;
  std::size_t max_bytes_;
  std::string paragraph_;
  std::int64_t line_ = 0;

  DocumentReader(std::unique_ptr<detail::LineReader> lines, const DocumentReaderOptions& options);
  void check_size(std::size_t bytes, std::int64_t line) const;
};

/// All documents of a file, in order. The same conditions throw as in `DocumentReader`.
///
/// @code
/// const std::vector<std::string> documents = packseq::read_documents("corpus.txt");
/// @endcode
PACKSEQ_EXPORT std::vector<std::string> read_documents(const std::filesystem::path& file,
                                                       const DocumentReaderOptions& options = {});

}  // namespace packseq
