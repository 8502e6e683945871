#include "kernels/crf.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "kernels/crf_batch.hpp"
#include "kernels/targets.hpp"

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
  ASSERT_FALSE(test::targets().empty());
  for (const std::int64_t target : test::targets()) {
    const test::TargetGuard guard(target);
    for (const CrfCase& of : cases) {
      SCOPED_TRACE(testing::Message() << "target " << target << ", " << of);
      expect_enumerated<float>(of, 4e-6);
      expect_enumerated<double>(of, 1e-12);
    }
  }
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

}  // namespace
}  // namespace packseq::kernels
