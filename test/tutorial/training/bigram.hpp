#pragma once

#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "packseq/sequence/jagged.hpp"

/// A bigram model, which knows a word by the one before it: what any network must do better than.
///
/// Smoothed by the method of Kneser and Ney in its interpolated form, the probability of single words interpolated with
/// equal ones; one discount, n1 / (n1 + 2 n2). Chen and Goodman, An Empirical Study of Smoothing Techniques for
/// Language Modeling (1998), sections 2.7 and 3.
class Bigram {
 public:
  Bigram(const packseq::Jagged& documents, std::int64_t words)
      : words_(words), histories_(static_cast<std::size_t>(words)), before_(static_cast<std::size_t>(words)) {
    each_pair(documents, [this](std::int64_t first, std::int64_t second) {
      History& history = histories_[static_cast<std::size_t>(first)];
      ++history.count;
      if (++counts_[key(first, second)] > 1) return;
      ++history.different;
      ++before_[static_cast<std::size_t>(second)];
    });
    const auto pairs_that_occur = [this](std::int64_t times) {
      return static_cast<double>(
          std::count_if(counts_.begin(), counts_.end(), [times](const auto& pair) { return pair.second == times; }));
    };
    discount_ = pairs_that_occur(1) / std::max(1., pairs_that_occur(1) + 2 * pairs_that_occur(2));
    seen_ = static_cast<double>(std::count_if(before_.begin(), before_.end(), [](double count) { return count > 0; }));
  }

  /// How likely `second` is after `first`.
  double probability(std::int64_t first, std::int64_t second) const {
    const double different_pairs = static_cast<double>(counts_.size());
    const double single = std::max(before_[static_cast<std::size_t>(second)] - discount_, 0.) / different_pairs +
                          discount_ * seen_ / different_pairs / static_cast<double>(words_);
    const History& history = histories_[static_cast<std::size_t>(first)];
    if (history.count == 0) return single;
    const auto found = counts_.find(key(first, second));
    const double count = found == counts_.end() ? 0 : static_cast<double>(found->second);
    return (std::max(count - discount_, 0.) + discount_ * history.different * single) / history.count;
  }

  /// The inverse of the probability of a word, the geometric mean over all but each document's first.
  double perplexity(const packseq::Jagged& documents) const {
    double sum = 0;
    double pairs = 0;
    each_pair(documents, [&](std::int64_t first, std::int64_t second) {
      sum -= std::log(probability(first, second));
      ++pairs;
    });
    return std::exp(sum / pairs);
  }

 private:
  struct History {
    double count = 0;      // of pairs that begin with this word
    double different = 0;  // of them
  };

  std::int64_t words_;
  std::vector<History> histories_;
  std::vector<double> before_;  // how many different words come before each one
  std::unordered_map<std::int64_t, std::int64_t> counts_;
  double discount_ = 0;
  double seen_ = 0;  // how many words come after any

  std::int64_t key(std::int64_t first, std::int64_t second) const { return first * words_ + second; }

  template <class Visit>
  static void each_pair(const packseq::Jagged& documents, const Visit& visit) {
    const auto* ids = documents.values().const_data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < documents.size(); ++i) {
      const auto length = documents.lengths()[i].item<std::int64_t>();
      for (std::int64_t step = 1; step < length; ++step) visit(ids[step - 1], ids[step]);
      ids += length;
    }
  }
};
