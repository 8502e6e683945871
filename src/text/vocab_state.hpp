#pragma once

#include <cstddef>
#include <optional>

#include "packseq/text/vocab.hpp"
#include "text/token_counter.hpp"
#include "text/token_table.hpp"

namespace packseq {

/// A token's id is its number in the table.
struct Vocab::State {
  detail::TokenTable table;
  std::size_t specials;                ///< How many of the first tokens are specials.
  std::optional<std::size_t> unknown;  ///< One of the specials.
  Tokenizer tokenizer;

  /// Checks all options. The table holds the specials.
  static State of_specials(const VocabOptions& options);

  /// Adds the words that the options admit.
  void add_words(const detail::TokenCounts& counts, const VocabOptions& options);
};

}  // namespace packseq
