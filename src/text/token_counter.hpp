#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "packseq/text/tokenizer.hpp"
#include "text/token_table.hpp"

namespace packseq::detail {

/// How often each token occurs in some of the documents, and where it was seen first.
class TokenCounts {
 public:
  /// Counts further documents, of which the first has this number among all.
  void add(const Tokenizer& tokenizer, std::span<const std::string> documents, std::size_t first_number);

  /// Adds the counts of other documents.
  void add(const TokenCounts& other);

  /// The tokens that occur at least `min_frequency` times, most frequent first, ties by first appearance. The views
  /// are valid until more is added.
  std::vector<std::string_view> ranked(std::int64_t min_frequency) const;

 private:
  /// One thread counts all tokens of a document, so that those which appear first in the same document are in the
  /// same table, in order.
  struct Appearance {
    std::size_t document;
    std::size_t number;
    auto operator<=>(const Appearance&) const = default;
  };

  TokenTable table_;
  std::vector<std::int64_t> counts_;
  std::vector<Appearance> first_;
};

/// Counts the tokens of documents on several threads; the result is that of one.
class TokenCounter {
 public:
  /// At most `threads`, which is at least 1.
  TokenCounter(Tokenizer tokenizer, std::size_t threads) : tokenizer_(std::move(tokenizer)), counts_(threads) {}

  std::size_t threads() const noexcept { return counts_.size(); }

  /// Counts further documents. What the tokenizer throws comes through, that of the first document if there is more.
  void add(std::span<const std::string> documents);

  /// The counts of all documents, which the counter no longer has afterwards.
  TokenCounts take();

 private:
  Tokenizer tokenizer_;
  std::vector<TokenCounts> counts_;  // of each thread
  std::size_t documents_ = 0;
};

}  // namespace packseq::detail
