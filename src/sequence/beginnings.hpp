#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace packseq::detail {

/// Documents that begin alike, as a trie: each of its nodes is a beginning of a document, one token or more, that no
/// other node is. The nodes of a step, those of so many tokens, lie in the order in which the kernels want them.
struct Trie {
  at::Tensor batch_sizes;  ///< int64 [T]: the nodes of each step.
  at::Tensor paths;        ///< int32 [M]: of each node, see `kernels::Plan`.
  at::Tensor nodes;        ///< int32 [N]: of each token of the packed batch, the node that ends with it.
  at::Tensor tokens;       ///< int32 [M]: of each node, a token that it ends with.
};

/// The distinct beginnings of the documents of a packed batch, whose order is that of a dictionary: what a document has
/// in common with any before it, it has in common with the one just before it.
///
/// To find them takes O(N log B), whatever the text: sorting compares documents, each no further than its end.
class Beginnings {
 public:
  /// `ids` are int32 or int64 [N] on the CPU. Documents only count as alike that have the same one of `starts`, of
  /// those that are not empty, longest first: [B], or none, which are all the same.
  Beginnings(const at::Tensor& ids, std::span<const std::int64_t> batch_sizes,
             std::span<const std::int32_t> starts = {});

  /// How many there are, M.
  std::int64_t count() const noexcept { return count_; }

  /// How many have so many tokens as each step has come to, [T].
  std::vector<std::int64_t> count_by_step() const;

  Trie trie() const;

 private:
  /// A document, and with how many tokens it begins as the one before it does.
  struct Document {
    std::int32_t rank;
    std::int32_t common;
  };

  template <class Id>
  void find(const Id* ids, std::span<const std::int32_t> starts);

  std::size_t token(std::int32_t rank, std::int32_t step) const {
    return static_cast<std::size_t>(offsets_[static_cast<std::size_t>(step)] + rank);
  }
  std::int32_t length(std::int32_t rank) const { return lengths_[static_cast<std::size_t>(rank)]; }

  std::vector<std::int64_t> offsets_;  // of the first token of each step, and the number of tokens
  std::vector<std::int32_t> lengths_;  // by rank
  std::vector<Document> documents_;    // in the order of a dictionary
  std::int64_t count_ = 0;
};

/// Which token each token of a packed batch changes places with where its documents are reversed, int32 [N].
at::Tensor reversed_tokens(std::span<const std::int64_t> batch_sizes);

/// The last token of each document that is not empty, longest first, int32 [B].
at::Tensor last_tokens(std::span<const std::int64_t> batch_sizes);

}  // namespace packseq::detail
