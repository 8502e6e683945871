#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/table.hpp"
#include "cli/terminal.hpp"
#include "packseq/sequence/jagged.hpp"
#include "packseq/sequence/pack.hpp"
#include "packseq/text/vocab.hpp"

namespace packseq::cli {

/// A batch of documents in each of the forms that it takes on its way into a network, drawn in the terminal's width.
class Picture {
 public:
  Picture(const std::vector<std::string>& documents, const Tokenizer& tokenizer, const Terminal& terminal);

  /// Words and their ids, as many as three lines hold.
  std::string vocabulary() const;

  /// A row for each document, all as long as the longest.
  std::string padded() const;

  /// The same without padding, the longest document first, and how it lies in memory.
  std::string packed() const;

  /// What a product with either of them takes.
  std::string operations() const;

 private:
  std::string word(std::int64_t id) const;
  std::string heading(const std::string& text) const;
  std::vector<std::string> header() const;
  TableRow row(std::int64_t document) const;
  Table padded_table() const;
  Table packed_table() const;
  std::string sorted_indices() const;
  std::string data() const;

  Vocab vocab_;
  Jagged ids_;
  PackedSequence packed_;
  std::int64_t steps_;
  std::int64_t shown_steps_;  // the others share one column
  Terminal terminal_;
  Theme theme_;
};

}  // namespace packseq::cli
