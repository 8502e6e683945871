#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cli/lengths.hpp"
#include "cli/sample.hpp"
#include "cli/text_input.hpp"
#include "packseq/sequence/jagged.hpp"

namespace packseq::cli {

/// A document is too long. It is never cut: a comparison over cut documents would not be about this text.
struct TooLong {
  std::string document;
  std::int64_t tokens;
};

/// Where a document is.
struct Origin {
  std::string file;
  std::int64_t line;
  std::int64_t number;  ///< In all files, from 0.
};

/// One or more files, end to end: what is known of all their documents, and those that are run.
struct Corpus {
  Jagged ids;                    ///< Of the documents that are run, in this order.
  std::vector<Origin> origins;   ///< Likewise.
  Lengths lengths;               ///< Of all documents.
  std::int64_t vocab_size;       ///< Number of ids, that of padding included.
  std::int64_t distinct_tokens;  ///< Number of different tokens in all documents.

  /// What a person needs to find one of the documents: "document 3 (corpus.txt, line 17)".
  std::string name(std::int64_t document) const;
};

/// Reads files of any size: memory holds the vocabulary, the documents that are run, and a block. `report` is called
/// with how far it is, for those who wait.
/// @throws std::runtime_error if a file cannot be read, or if there is no document in all of them.
/// @throws TooLong at the first document of more than `options.max_tokens_per_document` tokens.
Corpus read_corpus(const std::vector<std::filesystem::path>& files, const TextOptions& options,
                   const SampleOptions& sample, const std::function<void(const std::string&)>& report);

/// Documents that are run, by number, cut into batches.
using Batches = std::vector<std::vector<std::int64_t>>;

/// All documents that are run, in the order of the corpus.
std::vector<std::int64_t> in_order(const Corpus& corpus);

/// The same, longest first; those of equal length keep their order.
std::vector<std::int64_t> longest_first(const Corpus& corpus);

/// The same in the order of a dictionary, whose words are in the vocabulary's.
std::vector<std::int64_t> by_text(const Corpus& corpus);

/// Batches of `batch` documents; the last one may be smaller, so that no document is lost.
Batches cut(const std::vector<std::int64_t>& documents, std::int64_t batch);

/// The documents of a batch.
Jagged select(const Corpus& corpus, const std::vector<std::int64_t>& documents);

}  // namespace packseq::cli
