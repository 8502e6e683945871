#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/terminal.hpp"
#include "packseq/sequence/jagged.hpp"
#include "packseq/text/vocab.hpp"
#include "sequence/picture.hpp"

namespace packseq::cli {

/// A batch of documents in each of the forms that it takes on its way into a network, drawn in the terminal's width.
class Picture {
 public:
  Picture(const std::vector<std::string>& documents, const Tokenizer& tokenizer, const Terminal& terminal);
  Picture(const Picture&) = delete;
  Picture& operator=(const Picture&) = delete;

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
  detail::Table padded_table() const;

  Vocab vocab_;
  Jagged ids_;
  Terminal terminal_;
  Theme theme_;
  detail::Paint paint_;
  detail::PackedPicture packed_;
};

}  // namespace packseq::cli
