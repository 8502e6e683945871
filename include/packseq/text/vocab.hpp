#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "packseq/export.hpp"
#include "packseq/text/tokenizer.hpp"

namespace packseq {

class DocumentReader;
class WordVectorReader;

/// Gives documents one at a time, then nothing; a view is valid until the next call.
using DocumentSource = std::function<std::optional<std::string_view>()>;

class Vocab;
struct VocabOptions;

namespace detail {
Vocab vocab_of_lines(DocumentSource& source, const VocabOptions& options);
}

/// How a vocabulary is built.
struct VocabOptions {
  /// Tokens that get the first ids, in this order. The first one is meant for padding.
  std::vector<std::string> specials = {"<pad>"};
  /// The special that unknown words become, for instance "<unk>". Where it is empty, unknown words are refused.
  std::string unknown = {};
  /// Splits documents, both to build the vocabulary and to encode; several threads may call it at once.
  Tokenizer tokenizer = split_whitespace;
  /// Tokens that occur less often are left out; the specials stay.
  std::int64_t min_frequency = 1;
  /// The largest number of tokens, specials included; the least frequent are left out. Without it, all stay.
  std::optional<std::int64_t> max_size = {};
  /// How many threads build at most; 0 is one for each core. The result is the same. It says nothing about `encode`:
  /// for a tokenizer that only one thread may call at a time, set 1 here, and call at::set_num_threads(1) there.
  int threads = 0;
};

/// A two-way table between tokens and ids 0, 1, 2, ...
///
/// Specials come first, then the other tokens, most frequent first; equally frequent ones in order of first
/// appearance. A word of a document that is spelled like a special is that special. A vocabulary never changes once
/// it is built: all its functions may be called from many threads at once, and copies share one table.
/// @code
/// const auto vocab = packseq::Vocab::build({"on your mark", "get set", "go"});
/// vocab.id("on");       // 1
/// vocab.find("stay");   // nothing; id("stay") throws
/// vocab.token(0);       // "<pad>"
/// vocab.size();         // 7
/// @endcode
class PACKSEQ_EXPORT Vocab {
 public:
  /// Collects the tokens of `documents`. An exception of the tokenizer is passed on; of several, that of the first
  /// document.
  /// @throws std::invalid_argument if a special is empty or listed twice.
  /// @throws std::invalid_argument if `options.unknown` is set and not one of `options.specials`.
  /// @throws std::invalid_argument if `options.tokenizer` is empty.
  /// @throws std::invalid_argument if `options.min_frequency` is less than 1, or `options.threads` than 0.
  /// @throws std::invalid_argument if `options.max_size` is less than the number of specials.
  static Vocab build(const std::vector<std::string>& documents, const VocabOptions& options = {});

  /// Collects the tokens of all documents that are left in `reader`, 4 MiB of them for each
  /// thread in memory at a time. The same conditions throw, and those of `DocumentReader::next`.
  /// @code
  /// packseq::DocumentReader reader("larger_than_memory.txt");
  /// const auto vocab = packseq::Vocab::build(reader, {.min_frequency = 2});
  /// @endcode
  static Vocab build(DocumentReader& reader, const VocabOptions& options = {});

  /// The same for documents from anywhere. The same conditions throw, and whatever `source` throws is passed on.
  /// @throws std::invalid_argument if `source` is empty.
  /// @code
  /// std::istringstream text("on your mark\nget set\ngo\n");
  /// packseq::DocumentSource lines = [&, line = std::string()]() mutable -> std::optional<std::string_view> {
  ///   if (!std::getline(text, line)) return std::nullopt;
  ///   return line;
  /// };
  /// const auto vocab = packseq::Vocab::build(lines);
  /// @endcode
  static Vocab build(DocumentSource& source, const VocabOptions& options = {});

  /// The words that are left in `vectors`, in their order, which is that of frequency in most files; a word that comes
  /// again, or is spelled like a special, has one id. With `options.max_size` no more is read than is needed.
  /// The conditions of options throw, and those of `WordVectorReader::next`.
  /// @throws std::invalid_argument if `options.min_frequency` is not 1: vectors do not tell how often words occur.
  /// @code
  /// packseq::WordVectorReader vectors("glove.txt");
  /// const auto vocab = packseq::Vocab::build(vectors, {.max_size = 50'000});
  /// @endcode
  static Vocab build(WordVectorReader& vectors, const VocabOptions& options = {});

  /// Writes the vocabulary to a text file, all but its tokenizer. The file is replaced as a whole: if
  /// saving fails, the old one is still there. Its permissions stay.
  ///
  /// Four header lines, one line for each token in order of ids, and a last line "end". In a token a backslash,
  /// an ASCII control character, a space at either end and a byte that is not UTF-8 are written as two hexadecimal
  /// digits, "\x5c"; the file is UTF-8, and an empty token an empty line:
  ///
  ///     packseq vocabulary 1
  ///     specials 2
  ///     unknown <unk>
  ///     tokens 3
  ///     <pad>
  ///     <unk>
  ///     go
  ///     end
  /// @throws std::runtime_error that names file and reason, if it cannot be written, or is there and is no regular
  ///   file.
  void save(const std::filesystem::path& file) const;

  /// Reads what `save` has written; `tokenizer` must be the one that the vocabulary was built with.
  /// @throws std::invalid_argument if `tokenizer` is empty.
  /// @throws std::runtime_error if `file` cannot be read, as in `DocumentReader`.
  /// @throws std::runtime_error that names file and line, if it is no vocabulary, of another version, cut short or too
  ///   long; if a token is listed twice, a special is empty, the unknown token is none of the specials, or a
  ///   backslash does not begin "\x" and two hexadecimal digits.
  /// @code
  /// vocab.save("words.vocab");
  /// const auto same = packseq::Vocab::load("words.vocab");
  /// @endcode
  static Vocab load(const std::filesystem::path& file, Tokenizer tokenizer = split_whitespace);

  /// Number of tokens, specials included.
  std::int64_t size() const noexcept;

  /// The id of a token, or nothing if it has none of its own.
  std::optional<std::int64_t> find(std::string_view token) const noexcept;

  /// The id of a token; of the unknown token for one that has none of its own.
  /// @throws std::out_of_range if `token` has no id and the vocabulary has no unknown token.
  std::int64_t id(std::string_view token) const;

  /// The token with this id. The view is valid as long as the vocabulary, or a copy of it.
  /// @throws std::out_of_range if `id` is not in 0 ... size() - 1.
  std::string_view token(std::int64_t id) const;

  /// The id that unknown words get, if there is one.
  std::optional<std::int64_t> unknown_id() const noexcept;

  /// The tokenizer that the vocabulary was built with.
  const Tokenizer& tokenizer() const noexcept;

 private:
  struct State;

  std::shared_ptr<const State> state_;

  explicit Vocab(std::shared_ptr<const State> state) noexcept;

  friend Vocab detail::vocab_of_lines(DocumentSource& source, const VocabOptions& options);
  static Vocab build(DocumentSource& source, const VocabOptions& options, const Tokenizer& splits_source);
};

}  // namespace packseq
