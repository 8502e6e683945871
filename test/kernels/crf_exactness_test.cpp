#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

#include "kernels/crf_batch.hpp"

// What a document comes out as is the same bit for bit, whatever documents are beside it and whoever computes it.

namespace packseq::kernels {
namespace {

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

const std::vector<std::size_t> many_lengths = [] {
  std::vector<std::size_t> lengths;
  for (std::size_t i = 0; i < 100; ++i) lengths.push_back(60 - i / 2);
  return lengths;
}();

TEST(CrfExactness, IsTheSameOnAnyNumberOfThreads) {
  on_all_targets([] {
    for (const std::size_t tags : {1U, 5U, 20U}) {
      CrfBatch<float> expected({.tags = tags, .lengths = many_lengths, .scale = 30, .forbidden = 0.1});
      expected.run_on(1);
      for (const std::size_t threads : {2U, 3U, 64U}) {
        CrfBatch<float> batch({.tags = tags, .lengths = many_lengths, .scale = 30, .forbidden = 0.1});
        batch.run_on(threads);
        const auto results = batch.results();
        for (std::size_t i = 0; i < results.size(); ++i) EXPECT_TRUE(same_bits(results[i], expected.results()[i])) << i;
      }
    }
  });
}

/// Some documents of a batch by themselves.
CrfBatch<float> part_of(const CrfBatch<float>& whole, const std::vector<std::size_t>& ranks) {
  std::vector<std::size_t> lengths;
  for (const std::size_t rank : ranks) lengths.push_back(whole.lengths[rank]);
  CrfBatch<float> part({.tags = whole.tags, .lengths = lengths});
  part.start = whole.start;
  part.end = whole.end;
  part.transitions = whole.transitions;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    part.d_log_likelihood[static_cast<std::size_t>(part.order[i])] =
        whole.d_log_likelihood[static_cast<std::size_t>(whole.order[ranks[i]])];
    for (std::size_t t = 0; t < lengths[i]; ++t) {
      const std::size_t from = whole.row(ranks[i], t);
      const std::size_t to = part.row(i, t);
      part.labels[to] = whole.labels[from];
      std::copy_n(whole.scores.begin() + static_cast<std::ptrdiff_t>(from * whole.tags), whole.tags,
                  part.scores.begin() + static_cast<std::ptrdiff_t>(to * whole.tags));
    }
  }
  return part;
}

TEST(CrfExactness, MakesOfADocumentTheSameInAnyBatch) {
  on_all_targets([] {
    for (const std::size_t tags : {1U, 5U, 20U, 70U}) {
      CrfBatch<float> whole({.tags = tags, .lengths = {9, 9, 8, 7, 7, 6, 6, 5, 4, 4, 3, 1, 1}, .scale = 40});
      whole.run_on(1);
      for (const std::vector<std::size_t>& ranks :
           {std::vector<std::size_t>{0}, {3, 5, 9, 12}, {2, 3, 4, 7, 8, 9, 11}}) {
        CrfBatch<float> part = part_of(whole, ranks);
        part.run_on(2);
        for (std::size_t i = 0; i < ranks.size(); ++i) {
          const auto of_part = static_cast<std::size_t>(part.order[i]);
          const auto of_whole = static_cast<std::size_t>(whole.order[ranks[i]]);
          EXPECT_EQ(part.log_likelihood[of_part], whole.log_likelihood[of_whole]);
          EXPECT_EQ(part.normaliser[of_part], whole.normaliser[of_whole]);
          EXPECT_EQ(part.best_scores[of_part], whole.best_scores[of_whole]);
          for (std::size_t t = 0; t < part.lengths[i]; ++t) {
            const std::size_t a = part.row(i, t);
            const std::size_t b = whole.row(ranks[i], t);
            EXPECT_EQ(part.best[a], whole.best[b]);
            for (std::size_t k = 0; k < tags; ++k) {
              EXPECT_EQ(part.d_scores[a * tags + k], whole.d_scores[b * tags + k]);
              EXPECT_EQ(part.marginals[a * tags + k], whole.marginals[b * tags + k]);
            }
          }
        }
      }
    }
  });
}

}  // namespace
}  // namespace packseq::kernels
