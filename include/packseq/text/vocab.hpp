#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "packseq/export.hpp"
#include "packseq/text/tokenizer.hpp"

namespace packseq {

/// How a vocabulary is built.
struct VocabOptions {
  /// Tokens that get the first ids, in this order. The first one is meant for padding.
  std::vector<std::string> specials = {"<pad>"};
  /// The special that unknown words become, for instance "<unk>". Where it is empty, unknown words are refused.
  std::string unknown = {};
  /// Splits every document that this vocabulary builds on or encodes.
  Tokenizer tokenizer = split_whitespace;
};

/// A two-way table between tokens and ids 0, 1, 2, ...
///
/// Specials come first, then the other tokens, most frequent first; equally frequent ones in order of first
/// appearance. A word of a document that is spelled like a special is that special. A vocabulary never changes once
/// it is built: all its functions may be called from many threads at once.
/// @code
/// const auto vocab = packseq::Vocab::build({"on your mark", "get set", "go"});
/// vocab.id("on");     // 1
/// vocab.token(0);     // "<pad>"
/// vocab.size();       // 7
/// @endcode
class PACKSEQ_EXPORT Vocab {
 public:
  /// Collects the tokens of `documents`.
  /// @throws std::invalid_argument if a special is empty or listed twice.
  /// @throws std::invalid_argument if `options.unknown` is set and not one of `options.specials`.
  /// @throws std::invalid_argument if `options.tokenizer` is empty.
  static Vocab build(const std::vector<std::string>& documents, const VocabOptions& options = {});

  /// Number of tokens, specials included.
  std::int64_t size() const noexcept;

  /// The id of a token, or nothing if it has none of its own.
  std::optional<std::int64_t> find(std::string_view token) const;

  /// The id of a token; of the unknown token for one that has none of its own.
  /// @throws std::out_of_range if `token` has no id and the vocabulary has no unknown token.
  std::int64_t id(std::string_view token) const;

  /// The token with this id.
  /// @throws std::out_of_range if `id` is not in 0 ... size() - 1.
  const std::string& token(std::int64_t id) const;

  /// The id that unknown words get, if there is one.
  std::optional<std::int64_t> unknown_id() const noexcept;

  /// The tokenizer that the vocabulary was built with.
  const Tokenizer& tokenizer() const noexcept;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view token) const noexcept { return std::hash<std::string_view>{}(token); }
  };

  std::vector<std::string> tokens_;
  std::unordered_map<std::string, std::int64_t, Hash, std::equal_to<>> ids_;
  std::optional<std::int64_t> unknown_id_;
  Tokenizer tokenizer_;

  void add_words(const std::vector<std::string>& documents);
};

}  // namespace packseq
