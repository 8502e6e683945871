#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "packseq/export.hpp"
#include "packseq/text/document_reader.hpp"

namespace packseq {

/// How word vectors are read.
struct WordVectorOptions {
  /// How many numbers a vector has, E. Where it is not set, the header tells; without a header, it is the fewest
  /// numbers at the end of a line, among the first 100 lines (of the first MiB) that are not empty, if at least half of
  /// these have so many.
  std::optional<std::int64_t> dimension = {};
  /// What becomes of words that are not UTF-8: word2vec's own tool cuts long words in the middle of a character.
  InvalidUtf8 invalid_utf8 = InvalidUtf8::refuse;
};

/// A word and its vector.
struct WordVector {
  std::string_view word;          ///< UTF-8; it may be empty or hold blanks.
  std::span<const float> vector;  ///< [E]; nan and infinity where the file has them.
};

/// Reads word vectors one at a time from the files that other programs write: GloVe's text, word2vec's text and binary
/// form, fastText's `.vec`. Which one it is, the file itself tells.
///
/// A header is a first line of two whole numbers: how many vectors there are, and E. Where the second one is 1, such a
/// line may be a row as well: in a text of less than a MiB it is a header only if as many lines follow, or one more.
/// Binary files have one.
///
/// In text, a row is a word, blanks or tabs, and E numbers between blanks. The word is all that comes before, without
/// the blanks at its end; of a word that is nothing but blanks, one separates it. Numbers are read as by
/// `std::from_chars`, whatever the locale; one that is too small for a float becomes the nearest one. A number that
/// follows a blank in front of the E numbers belongs to the word only if it is nothing but digits ("windows 95");
/// otherwise, or if nearly all of the first 100 rows have one, the rows are too wide. Lines end in "\n" or "\r\n", a
/// byte-order mark is dropped, and empty lines are passed over. In binary files a vector is followed by a newline or
/// not, in all of a file alike.
///
/// Rows come as they are: a word that comes twice is read twice. Memory is a vector, a block of the file (a MiB in the
/// beginning), and the longest line of a text, or word of a binary file. A file must not change while it is read: its
/// size and time of change are looked at in the beginning and at the end, if it is a regular file. Different readers
/// may be used by different threads; one that has thrown must not be read further.
/// @code
/// packseq::WordVectorReader vectors("glove.txt");
/// while (const auto row = vectors.next()) std::cout << row->word << ' ' << row->vector[0] << '\n';
/// if (vectors.announced() && *vectors.announced() != vectors.count()) std::cout << "not as many as its header says\n";
/// @endcode
class PACKSEQ_EXPORT WordVectorReader {
 public:
  /// Opens a file.
  /// @throws std::runtime_error if `file` does not exist, is a directory, or cannot be opened.
  /// @throws std::runtime_error that names the file and the next step, if it is something else: compressed, a fastText
  ///   model, a pickled Python object.
  /// @throws std::runtime_error that names the file, if it is empty. Where E is known, by a header or
  ///   `options.dimension`, a file without rows is no error.
  /// @throws std::runtime_error that names the file, if it has no header, `options.dimension` is not set, and its first
  ///   lines do not tell it.
  /// @throws std::runtime_error if the header tells another dimension than `options.dimension`, or not 1 ... 1,000,000.
  /// @throws std::runtime_error that names file and line, if nine in ten of the first 100 rows, or more, are too wide.
  /// @throws std::runtime_error if the file cannot be read.
  /// @throws std::invalid_argument if `options.dimension` is not in 1 ... 1,000,000.
  explicit WordVectorReader(const std::filesystem::path& file, const WordVectorOptions& options = {});

  /// Reads from a stream, which must outlive the reader; `name` stands for it in error messages. The stream is read in
  /// blocks, beyond the vectors that `next` has given. The same conditions throw.
  /// @code
  /// std::istringstream text("go 0.5 1\nget -0.25 2\n");
  /// packseq::WordVectorReader vectors(text, "a text in memory");
  /// vectors.dimension();   // 2
  /// @endcode
  WordVectorReader(std::istream& input, std::string name, const WordVectorOptions& options = {});

  /// A reader that was moved from can be assigned to or destroyed, and nothing else.
  WordVectorReader(WordVectorReader&&) noexcept;
  WordVectorReader& operator=(WordVectorReader&&) noexcept;  ///< Likewise.
  ~WordVectorReader();

  /// The next word and its vector, or nothing at the end. The views are valid until the next call.
  /// @throws std::runtime_error that names file and line, or in a binary file record and byte, if a row has not E
  ///   numbers, or one that no float can hold; if a binary file ends within a record, or lacks the newline that its
  ///   other records have; if a line of text is longer than 64 MiB, or a word in binary than one MiB; if a word holds a
  ///   zero byte, or is not UTF-8 where that is refused.
  /// @throws std::runtime_error if the file cannot be read further, or has changed since the reader was made.
  std::optional<WordVector> next();

  /// How many numbers a vector has, E.
  std::int64_t dimension() const noexcept;

  /// How many vectors the header says there are, if there is a header. It may be wrong: what is there is read.
  std::optional<std::int64_t> announced() const noexcept;

  /// How many vectors `next` has given.
  std::int64_t count() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace packseq
