#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <ostream>
#include <random>
#include <vector>

#include "kernels/crf.hpp"
#include "kernels/targets.hpp"
#include "kernels/two_directions.hpp"

namespace packseq::kernels {

/// Calls `expect` on each CPU target of this machine.
inline void on_all_targets(const std::function<void()>& expect) {
  ASSERT_FALSE(test::targets().empty());
  for (const std::int64_t target : test::targets()) {
    const test::TargetGuard guard(target);
    SCOPED_TRACE(testing::Message() << "target " << target);
    expect();
  }
}

/// What a batch is to look like.
struct CrfCase {
  std::size_t tags = 3;
  std::vector<std::size_t> lengths = {3, 3, 2, 1};  ///< Longest first.
  double scale = 1;                                 ///< Scores are so many times -1, 0 or 1, and something below 1.
  double forbidden = 0;                             ///< The part of all numbers that is -infinity.
  unsigned seed = 1;
};

inline std::ostream& operator<<(std::ostream& stream, const CrfCase& of) {
  return stream << of.tags << " tags, " << of.lengths.size() << " documents of up to " << of.lengths.front()
                << " tokens, scale " << of.scale << ", forbidden " << of.forbidden << ", seed " << of.seed;
}

/// A CRF over random numbers, the same in float and double, and what the kernels make of it.
template <class T>
struct CrfBatch {
  explicit CrfBatch(const CrfCase& of) : tags(of.tags), lengths(of.lengths), random(of.seed) {
    for (std::size_t t = 0; t < lengths.front(); ++t) {
      const auto is_longer = [t](std::size_t length) { return length > t; };
      batch_sizes.push_back(std::count_if(lengths.begin(), lengths.end(), is_longer));
    }
    for (std::size_t i = 0; i < lengths.size(); ++i) order.push_back(static_cast<std::int64_t>(i));
    std::shuffle(order.begin(), order.end(), random);
    for (const std::int64_t size : batch_sizes) rows += static_cast<std::size_t>(size);
    scores = numbers(rows * tags, of);
    start = numbers(tags, of);
    end = numbers(tags, of);
    transitions = numbers(tags * tags, of);
    for (std::size_t i = 0; i < rows; ++i)
      labels.push_back(std::uniform_int_distribution<std::int64_t>(0, static_cast<std::int64_t>(tags) - 1)(random));
    for (std::size_t i = 0; i < lengths.size(); ++i)
      d_log_likelihood.push_back(static_cast<T>(1 + 0.25 * static_cast<double>(i % 5)));
  }

  std::size_t row(std::size_t rank, std::size_t step) const {
    std::size_t first = 0;
    for (std::size_t t = 0; t < step; ++t) first += static_cast<std::size_t>(batch_sizes[t]);
    return first + rank;
  }

  /// Runs everything on so many threads.
  void run_on(std::size_t threads, const Executor& executor = on_threads) {
    const auto set = [&](auto crf) {
      crf.tags = tags;
      crf.start = start.data();
      crf.end = end.data();
      crf.transitions = transitions.data();
      crf.batch_sizes = batch_sizes;
      crf.order = order.data();
      crf.scores = scores.data();
      return crf;
    };
    for (auto* numbers : {&log_likelihood, &normaliser, &best_scores}) numbers->assign(lengths.size(), T{-1});
    for (auto* numbers : {&sums, &d_scores, &marginals}) numbers->assign(rows * tags, T{-1});
    for (auto* numbers : {&d_start, &d_end}) numbers->assign(tags, T{-1});
    d_transitions.assign(tags * tags, T{-1});
    best.assign(rows, -1);

    auto forward = set(CrfForward<T>());
    forward.log_likelihood = normaliser.data();
    run(forward, threads, executor);
    forward.labels = labels.data();
    forward.log_likelihood = log_likelihood.data();
    forward.sums = sums.data();
    run(forward, threads, executor);

    auto backward = set(CrfBackward<T>());
    backward.sums = sums.data();
    const std::vector<T> minus_one(lengths.size(), T{-1});
    backward.d_log_likelihood = minus_one.data();
    backward.d_scores = marginals.data();
    run(backward, threads, executor);
    backward.labels = labels.data();
    backward.d_log_likelihood = d_log_likelihood.data();
    backward.d_scores = d_scores.data();
    backward.d_start = d_start.data();
    backward.d_end = d_end.data();
    backward.d_transitions = d_transitions.data();
    run(backward, threads, executor);

    auto decode = set(CrfDecode<T>());
    decode.best = best.data();
    decode.best_scores = best_scores.data();
    run(decode, threads, executor);
  }

  std::vector<std::vector<T>> results() const {
    return {log_likelihood, normaliser,  d_scores,
            marginals,      d_start,     d_end,
            d_transitions,  best_scores, {best.begin(), best.end()}};
  }

  std::size_t tags;
  std::vector<std::size_t> lengths;  ///< By rank.
  std::mt19937 random;
  std::size_t rows = 0;
  std::vector<std::int64_t> batch_sizes, order, labels;
  std::vector<T> scores, start, end, transitions, d_log_likelihood;

  std::vector<T> log_likelihood, normaliser, sums, d_scores, marginals, d_start, d_end, d_transitions, best_scores;
  std::vector<std::int64_t> best;

 private:
  std::vector<T> numbers(std::size_t count, const CrfCase& of) {
    std::uniform_real_distribution<float> fraction(-1, 1);
    std::uniform_real_distribution<double> share(0, 1);
    std::uniform_int_distribution<int> sign(-1, 1);
    std::vector<T> result(count);
    for (T& x : result) {
      x = static_cast<T>(static_cast<float>(of.scale * sign(random)) + fraction(random));
      if (share(random) < of.forbidden) x = -std::numeric_limits<T>::infinity();
    }
    return result;
  }
};

/// What a document's sequences of tags say, each of them looked at by itself.
struct CrfEnumeration {
  template <class T>
  CrfEnumeration(const CrfBatch<T>& of, std::size_t rank) : tags(of.tags), length(of.lengths[rank]) {
    const auto score_of = [&](const std::vector<std::size_t>& path) {
      double score = static_cast<double>(of.start[path[0]]) + static_cast<double>(of.end[path.back()]);
      for (std::size_t t = 0; t < length; ++t) {
        score += static_cast<double>(of.scores[of.row(rank, t) * tags + path[t]]);
        if (t > 0) score += static_cast<double>(of.transitions[path[t - 1] * tags + path[t]]);
      }
      return score;
    };
    for_paths([&](const auto& path) { best = std::max(best, score_of(path)); });
    double sum = 0;
    for_paths([&](const auto& path) { sum += std::exp(score_of(path) - best); });
    normaliser = best + std::log(sum);
    marginals.assign(length * tags, 0);
    pairs.assign(tags * tags, 0);
    for_paths([&](const auto& path) {
      const double probability = std::exp(score_of(path) - normaliser);
      for (std::size_t t = 0; t < length; ++t) {
        marginals[t * tags + path[t]] += probability;
        if (t > 0) pairs[path[t - 1] * tags + path[t]] += probability;
      }
    });
    std::vector<std::size_t> labels, decoded;
    for (std::size_t t = 0; t < length; ++t) {
      labels.push_back(static_cast<std::size_t>(of.labels[of.row(rank, t)]));
      decoded.push_back(static_cast<std::size_t>(of.best.at(of.row(rank, t))));
    }
    score_of_labels = score_of(labels);
    score_of_decoded = score_of(decoded);
  }

  std::size_t tags, length;
  double best = -std::numeric_limits<double>::infinity();
  double normaliser = 0, score_of_labels = 0, score_of_decoded = 0;
  std::vector<double> marginals;  ///< [length, K]
  std::vector<double> pairs;      ///< [K, K], summed over the document.

 private:
  template <class Visit>
  void for_paths(const Visit& visit) const {
    std::vector<std::size_t> path(length, 0);
    for (;;) {
      visit(path);
      std::size_t t = 0;
      while (t < length && ++path[t] == tags) path[t++] = 0;
      if (t == length) return;
    }
  }
};

}  // namespace packseq::kernels
