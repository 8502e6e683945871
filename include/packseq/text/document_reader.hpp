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

/// Where one document ends and the next begins.
enum class Split {
  line,       ///< Each line that is not blank is a document.
  paragraph,  ///< Each run of lines that are not blank is a document, its lines joined by '\n'.
};

/// Reads the documents of a UTF-8 text one at a time, so that a file may be larger than memory.
///
/// Lines end in "\n" or "\r\n"; a byte-order mark at the start is dropped. Blank lines (nothing but ASCII white
/// space) separate documents and are never one themselves. Different readers may be used by different threads.
/// @code
/// packseq::DocumentReader reader("corpus.txt", packseq::Split::paragraph);
/// while (const auto document = reader.next()) {
///   std::cout << "line " << reader.line() << ": " << *document << '\n';
/// }
/// @endcode
class PACKSEQ_EXPORT DocumentReader {
 public:
  /// Opens a file.
  /// @throws std::runtime_error if `file` does not exist, is a directory, or cannot be opened.
  explicit DocumentReader(const std::filesystem::path& file, Split split = Split::line);

  /// Reads from a stream, which must outlive the reader; `name` stands for it in error messages.
  DocumentReader(std::istream& input, std::string name, Split split = Split::line);

  DocumentReader(DocumentReader&&) noexcept;
  DocumentReader& operator=(DocumentReader&&) noexcept;
  ~DocumentReader();

  /// The next document, or nothing at the end of the text. The view is valid until the next call.
  /// @throws std::runtime_error, naming file, line and byte, if a line is not valid UTF-8 or holds a zero byte.
  /// @throws std::runtime_error if the file cannot be read further.
  std::optional<std::string_view> next();

  /// The line, counted from 1, on which the latest document began; 0 before the first.
  std::int64_t line() const noexcept;

 private:
  std::unique_ptr<std::istream> owned_;
  std::istream* input_;
  std::string name_;
  Split split_;
  std::string buffer_;
  std::string document_;
  std::int64_t lines_read_ = 0;
  std::int64_t document_line_ = 0;

  bool read_line();
};

/// All documents of a file, in order. The same conditions throw as in `DocumentReader`.
///
/// @code
/// const std::vector<std::string> documents = packseq::read_documents("corpus.txt");
/// @endcode
PACKSEQ_EXPORT std::vector<std::string> read_documents(const std::filesystem::path& file, Split split = Split::line);

}  // namespace packseq
