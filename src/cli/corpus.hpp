#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "packseq/sequence/jagged.hpp"
#include "packseq/text/document_reader.hpp"
#include "packseq/text/tokenizer.hpp"

namespace packseq::cli {

/// How a text becomes documents and tokens.
struct TextOptions {
  DocumentReaderOptions reader = {};
  Tokenizer tokenizer = split_whitespace;
};

/// Where a document begins.
struct Origin {
  std::string file;
  std::int64_t line;
};

/// The documents of one or more files, end to end.
struct Corpus {
  Jagged ids;
  std::vector<Origin> origins;   ///< Of each document.
  std::int64_t vocab_size;       ///< Number of ids, that of padding included.
  std::int64_t distinct_tokens;  ///< Number of different tokens in the documents.

  std::int64_t documents() const { return ids.size(); }
  std::int64_t tokens() const { return ids.values().size(0); }

  /// What a person needs to find a document: "document 3 (corpus.txt, line 17)".
  std::string name(std::int64_t document) const;
};

/// Reads files whose documents are put end to end.
/// @throws std::runtime_error if a file cannot be read, or if there is no document in all of them.
Corpus read_corpus(const std::vector<std::filesystem::path>& files, const TextOptions& options);

/// In what order documents are batched.
enum class Order {
  shuffled,  ///< At random.
  as_is,     ///< As they stand in the text.
  sorted,    ///< A random sample, longest first.
};

/// Documents, by number, cut into batches.
using Batches = std::vector<std::vector<std::int64_t>>;

/// Up to `count` documents; the same for the same `seed`.
std::vector<std::int64_t> choose_documents(const Corpus& corpus, Order order, std::int64_t count, std::uint64_t seed);

/// The documents, longest first; those of equal length keep their order.
std::vector<std::int64_t> longest_first(const Corpus& corpus, std::vector<std::int64_t> documents);

/// Batches of `batch` documents; the last one may be smaller, so that no document is lost.
Batches cut(const std::vector<std::int64_t>& documents, std::int64_t batch);

/// The documents of a batch.
Jagged select(const Corpus& corpus, const std::vector<std::int64_t>& documents);

/// The lengths in increasing order.
std::vector<std::int64_t> sorted_lengths(const Corpus& corpus);

}  // namespace packseq::cli
