#include "kernels/crf.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "kernels/crf_batch.hpp"

// The kernels compute what all sequences of tags say, each looked at by itself, on each CPU target of this machine.

namespace packseq::kernels {
namespace {

template <class T>
void expect_enumerated(const CrfCase& of, double rounding) {
  // Sums of scores of such a size are rounded, and their exponentials differ by as much.
  const double tolerance = rounding * (1 + of.scale / 10);
  CrfBatch<T> batch(of);
  batch.run_on(2);
  const double of_scores = rounding * (1 + of.scale);
  std::vector<double> d_start(of.tags), d_end(of.tags), d_transitions(of.tags * of.tags);
  bool has_impossible = false;
  for (std::size_t rank = 0; rank < of.lengths.size(); ++rank) {
    const CrfEnumeration expected(batch, rank);
    const auto document = static_cast<std::size_t>(batch.order[rank]);
    if (std::isinf(expected.best)) {
      has_impossible = true;
      EXPECT_EQ(batch.best_scores[document], expected.best);
      EXPECT_EQ(batch.normaliser[document], std::numeric_limits<T>::infinity());
      EXPECT_TRUE(std::isnan(batch.log_likelihood[document]));
      EXPECT_TRUE(std::isnan(batch.marginals[rank * of.tags]));
      continue;
    }
    EXPECT_NEAR(expected.score_of_decoded, expected.best, of_scores);
    EXPECT_NEAR(batch.best_scores[document], expected.best, of_scores);
    EXPECT_NEAR(-batch.normaliser[document], expected.normaliser, of_scores);
    const double likelihood = expected.score_of_labels - expected.normaliser;
    if (std::isinf(likelihood)) {
      EXPECT_EQ(batch.log_likelihood[document], likelihood);
    } else {
      EXPECT_NEAR(batch.log_likelihood[document], likelihood, of_scores);
    }
    const double gradient = static_cast<double>(batch.d_log_likelihood[document]);
    for (std::size_t t = 0; t < expected.length; ++t) {
      const std::size_t row = batch.row(rank, t);
      const auto label = static_cast<std::size_t>(batch.labels[row]);
      for (std::size_t k = 0; k < of.tags; ++k) {
        const double probability = expected.marginals[t * of.tags + k];
        const double of_label = gradient * ((k == label ? 1 : 0) - probability);
        ASSERT_NEAR(batch.marginals[row * of.tags + k], probability, tolerance);
        ASSERT_NEAR(batch.d_scores[row * of.tags + k], of_label, 2 * tolerance);
        if (t == 0) d_start[k] += of_label;
        if (t + 1 == expected.length) d_end[k] += of_label;
      }
      if (t > 0)
        d_transitions[static_cast<std::size_t>(batch.labels[batch.row(rank, t - 1)]) * of.tags + label] += gradient;
    }
    for (std::size_t i = 0; i < d_transitions.size(); ++i) d_transitions[i] -= gradient * expected.pairs[i];
  }
  if (has_impossible) return;
  const double of_sums = tolerance * 4 * static_cast<double>(batch.rows);
  for (std::size_t k = 0; k < of.tags; ++k) {
    EXPECT_NEAR(batch.d_start[k], d_start[k], of_sums);
    EXPECT_NEAR(batch.d_end[k], d_end[k], of_sums);
  }
  for (std::size_t i = 0; i < d_transitions.size(); ++i) EXPECT_NEAR(batch.d_transitions[i], d_transitions[i], of_sums);
}

void expect_enumerated_everywhere(const std::vector<CrfCase>& cases) {
  on_all_targets([&] {
    for (const CrfCase& of : cases) {
      SCOPED_TRACE(of);
      expect_enumerated<float>(of, 4e-6);
      expect_enumerated<double>(of, 1e-12);
    }
  });
}

/// Some tags, and documents as long as can be enumerated.
std::vector<std::pair<std::size_t, std::vector<std::size_t>>> sizes() {
  return {{1, {4, 2, 1}},       {2, {7, 7, 7, 6, 5, 5, 4, 4, 3, 3, 2, 1, 1}},
          {3, {5, 5, 4, 1}},    {5, {4, 3, 3, 2, 2, 2, 2}},
          {9, {3, 3, 2, 1, 1}}, {17, {2, 2, 1}},
          {33, {2, 1}},         {70, {2, 2, 2, 2, 2, 2, 2, 1}}};
}

TEST(Crf, ComputesWhatAllSequencesSay) {
  std::vector<CrfCase> cases;
  for (const auto& [tags, lengths] : sizes()) {
    for (const unsigned seed : {1U, 2U}) cases.push_back({.tags = tags, .lengths = lengths, .seed = seed});
  }
  expect_enumerated_everywhere(cases);
}

TEST(Crf, IsExactBeyondTheRangeOfExponentials) {
  std::vector<CrfCase> cases;
  for (const auto& [tags, lengths] : sizes()) {
    for (const double scale : {30.0, 60.0, 100.0, 1000.0, 10'000.0}) {
      for (const unsigned seed : {1U, 2U, 3U}) {
        cases.push_back({.tags = tags, .lengths = lengths, .scale = scale, .seed = seed});
      }
    }
  }
  expect_enumerated_everywhere(cases);
}

TEST(Crf, TakesMinusInfinityForForbidden) {
  std::vector<CrfCase> cases;
  for (const auto& [tags, lengths] : sizes()) {
    for (const double forbidden : {0.1, 0.4, 0.7, 1.0}) {
      for (const double scale : {1.0, 10'000.0}) {
        for (const unsigned seed : {1U, 2U, 3U}) {
          cases.push_back({.tags = tags, .lengths = lengths, .scale = scale, .forbidden = forbidden, .seed = seed});
        }
      }
    }
  }
  expect_enumerated_everywhere(cases);
}

TEST(Crf, LosesNoDigitsInLongDocuments) {
  on_all_targets([] {
    const CrfCase of = {.tags = 5, .lengths = {10'000, 3'000}};
    CrfBatch<float> batch(of);
    CrfBatch<double> expected(of);
    batch.run_on(1);
    expected.run_on(1);
    for (const std::size_t i : {0U, 1U}) {
      EXPECT_NEAR(batch.log_likelihood[i] / expected.log_likelihood[i], 1, 3e-7);
      EXPECT_NEAR(batch.best_scores[i] / expected.best_scores[i], 1, 3e-7);
    }
    for (std::size_t i = 0; i < batch.marginals.size(); ++i) {
      ASSERT_NEAR(batch.marginals[i], expected.marginals[i], 4e-6) << i;
    }
  });
}

TEST(Crf, LosesNoDigitsInLargeScores) {
  on_all_targets([] {
    for (const float offset : {10'000.0F, -10'000.0F}) {
      CrfBatch<float> batch({.tags = 5, .lengths = {50, 50, 20}});
      for (float& score : batch.scores) score = std::nearbyint(score * 256) / 256;  // the same, and its sum exact
      batch.run_on(1);
      const auto expected = batch.marginals;
      const auto best = batch.best;
      for (float& score : batch.scores) score += offset;
      batch.run_on(1);
      EXPECT_EQ(batch.best, best);
      for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(batch.marginals[i], expected[i], 1e-6);
    }
  });
}

TEST(Crf, MakesNaNOfNaNInItsDocumentAlone) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  on_all_targets([] {
    for (const float bad : {std::nanf(""), infinity}) {
      for (const std::size_t tags : {1U, 3U, 20U}) {
        for (std::size_t k = 0; k < tags; ++k) {
          CrfBatch<float> batch({.tags = tags, .lengths = {6, 5, 5, 2}});
          batch.run_on(1);
          const CrfBatch<float> expected = batch;
          batch.scores[batch.row(1, 3) * tags + k] = bad;
          batch.run_on(1);
          for (std::size_t rank = 0; rank < batch.lengths.size(); ++rank) {
            const auto document = static_cast<std::size_t>(batch.order[rank]);
            EXPECT_EQ(std::isnan(batch.log_likelihood[document]), rank == 1);
            EXPECT_EQ(std::isnan(batch.best_scores[document]), rank == 1);
            for (std::size_t t = 0; t < batch.lengths[rank]; ++t) {
              for (std::size_t i = 0; i < tags; ++i) {
                const std::size_t at = batch.row(rank, t) * tags + i;
                EXPECT_TRUE(rank == 1 ? std::isnan(batch.d_scores[at]) : batch.d_scores[at] == expected.d_scores[at]);
              }
              EXPECT_TRUE(rank == 1 || batch.best[batch.row(rank, t)] == expected.best[batch.row(rank, t)]);
            }
          }
        }
      }
    }
  });
}

TEST(Crf, MakesNaNOfNaNInParameters) {
  on_all_targets([] {
    for (auto numbers : {&CrfBatch<double>::start, &CrfBatch<double>::end, &CrfBatch<double>::transitions}) {
      for (std::size_t i = 0; i < 9; ++i) {
        CrfBatch<double> batch({.tags = 9});
        (batch.*numbers)[i] = std::nan("");
        batch.run_on(1);
        for (const std::size_t rank : {0U, 1U, 2U}) {
          EXPECT_TRUE(std::isnan(batch.log_likelihood[static_cast<std::size_t>(batch.order[rank])]));
          EXPECT_TRUE(std::isnan(batch.best_scores[static_cast<std::size_t>(batch.order[rank])]));
        }
      }
    }
  });
}

TEST(Crf, DecodesTheSmallestOfEqualTags) {
  on_all_targets([] {
    for (const std::size_t tags : {1U, 3U, 20U, 70U}) {
      CrfBatch<float> batch({.tags = tags, .lengths = {4, 3}});
      for (auto* numbers : {&batch.scores, &batch.start, &batch.end, &batch.transitions}) {
        std::fill(numbers->begin(), numbers->end(), 0.5F);
      }
      batch.run_on(1);
      EXPECT_EQ(batch.best, std::vector<std::int64_t>(7, 0));
      const auto last = static_cast<std::int64_t>(tags) - 1;
      batch.scores[batch.row(1, 1) * tags + tags - 1] = 1;
      batch.run_on(1);
      EXPECT_EQ(batch.best, (std::vector<std::int64_t>{0, 0, 0, last, 0, 0, 0}));
    }
  });
}

}  // namespace
}  // namespace packseq::kernels
