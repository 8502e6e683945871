#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <vector>

namespace packseq::kernels {

using Document = std::vector<int>;

/// Documents, longest first, as a packed batch and as the trie of their beginnings: node after node by a map of all
/// beginnings, slow and independent of the library.
struct TrieBatch {
  explicit TrieBatch(std::vector<Document> of) : documents(std::move(of)) {
    std::ranges::sort(documents, std::greater(), &Document::size);
    for (std::size_t step = 0; step < documents.front().size(); ++step) add_step(step);
    number_paths();
  }

  std::vector<Document> documents;
  // Of the packed batch:
  std::vector<std::int64_t> batch_sizes;
  std::vector<std::int32_t> nodes;  ///< Of each token.
  // Of the trie:
  std::vector<std::int64_t> node_batch_sizes;
  std::vector<std::int32_t> paths;    ///< Of each node,
  std::vector<std::int32_t> parents;  ///< -1 in the first step,
  std::vector<std::int32_t> tokens;   ///< and one of its tokens.

 private:
  static Document beginning(const Document& document, std::size_t size) {
    return {document.begin(), document.begin() + static_cast<std::ptrdiff_t>(size)};
  }

  void add_step(std::size_t step) {
    std::map<Document, std::int32_t> of_step;  // in the order of a dictionary
    std::int64_t live = 0;
    for (const Document& document : documents) {
      if (document.size() > step) of_step[beginning(document, step + 1)] = 0, ++live;
    }
    for (auto& [prefix, node] : of_step) {
      node = static_cast<std::int32_t>(paths.size());
      paths.push_back(-1);
      parents.push_back(step == 0 ? -1 : found_.at(beginning(prefix, step)));
      tokens.push_back(-1);
    }
    for (std::int64_t rank = 0; rank < live; ++rank) {
      const auto node = of_step.at(beginning(documents[static_cast<std::size_t>(rank)], step + 1));
      tokens[static_cast<std::size_t>(node)] = static_cast<std::int32_t>(nodes.size());
      nodes.push_back(node);
    }
    batch_sizes.push_back(live);
    node_batch_sizes.push_back(static_cast<std::int64_t>(of_step.size()));
    found_.insert(of_step.begin(), of_step.end());
  }

  /// Depth first, in the order of a dictionary: a node's first child stays on its path.
  void number_paths() {
    std::map<std::int32_t, bool> goes_on;
    std::int32_t next = 0;
    for (const auto& [prefix, node] : found_) {
      const auto parent = parents[static_cast<std::size_t>(node)];
      const bool is_first = parent >= 0 && !goes_on[parent];
      if (parent >= 0) goes_on[parent] = true;
      paths[static_cast<std::size_t>(node)] = is_first ? paths[static_cast<std::size_t>(parent)] : next++;
    }
  }

  std::map<Document, std::int32_t> found_;
};

inline std::vector<Document> random_documents(std::mt19937& random, std::size_t count, std::size_t longest, int ids) {
  std::vector<Document> all;
  for (std::size_t i = 0; i < count; ++i) {
    Document document(std::uniform_int_distribution<std::size_t>(1, longest)(random));
    for (int& id : document) id = std::uniform_int_distribution(0, ids - 1)(random);
    all.push_back(document);
  }
  return all;
}

/// Batches of every shape that a trie can have.
inline std::vector<TrieBatch> trie_batches() {
  std::mt19937 random(0);
  std::vector<TrieBatch> all;
  all.emplace_back(std::vector<Document>{{1}});
  all.emplace_back(std::vector<Document>(7, {1, 2, 3}));                                   // all equal
  all.emplace_back(std::vector<Document>{{1, 2, 3, 4}, {1, 2, 3}, {1, 2}, {1}});           // a chain of beginnings
  all.emplace_back(std::vector<Document>{{1, 1, 1, 1}, {1, 1, 1, 2}, {1, 1, 2}, {1, 2}});  // a comb
  std::vector<Document> header = random_documents(random, 70, 6, 4);                       // a common beginning
  for (Document& document : header) document.insert(document.begin(), 12, 3);
  all.emplace_back(header);
  all.emplace_back(random_documents(random, 90, 9, 2));
  all.emplace_back(random_documents(random, 40, 12, 3));
  all.emplace_back(random_documents(random, 60, 5, 1000));  // next to nothing in common
  return all;
}

}  // namespace packseq::kernels
