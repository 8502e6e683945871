#pragma once

#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "packseq/sequence/pack.hpp"

// Documents that begin alike, in every way that they can.

namespace packseq::test {

using Text = std::vector<std::vector<std::int64_t>>;

inline PackedSequence pack_text(const Text& documents) {
  std::vector<at::Tensor> ids;
  for (const auto& document : documents) ids.push_back(torch::tensor(document, at::kLong));
  return pack_sequence(ids);
}

/// Documents of so many words drawn from a few, behind a beginning that all have in common.
inline Text random_text(std::int64_t count, std::int64_t longest, std::int64_t words, std::int64_t common) {
  Text documents;
  for (std::int64_t i = 0; i < count; ++i) {
    std::vector<std::int64_t> document(static_cast<std::size_t>(common), 3);
    const at::Tensor drawn = torch::randint(0, words, {1 + i * 7 % longest}, at::kLong);
    document.insert(document.end(), drawn.data_ptr<std::int64_t>(), drawn.data_ptr<std::int64_t>() + drawn.size(0));
    documents.push_back(document);
  }
  return documents;
}

/// Each way to begin alike.
inline std::vector<Text> all_texts() {
  return {{{4, 2, 7}, {4, 2, 7}, {4, 2, 7}},                                // all equal
          {{1}, {1, 2}, {1, 2, 3, 4, 5}, {1, 2, 3}, {1, 2, 3, 4}},          // one a beginning of another
          {{}, {1, 2}, {}, {1, 2, 3}, {1, 2}, {}},                          // empty ones
          {{5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5}, {5, 5, 5}, {5}},           // a chain
          {{1, 1, 1, 1}, {1, 1, 1, 2}, {1, 1, 2}, {1, 2}, {2, 1}, {1, 1}},  // a comb
          random_text(40, 6, 2, 0),
          random_text(30, 8, 3, 5)};
}

}  // namespace packseq::test
