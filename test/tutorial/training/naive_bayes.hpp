#pragma once

#include <torch/types.h>

#include <cstdint>

#include "packseq/data/documents.hpp"

/// Multinomial naive Bayes, which counts words and knows nothing of their order: what any network must do better than.
///
/// The probability of a class is its share of the documents; that of a word in a class, (n + 1) / (N + V), n of the
/// class's N words being this one, of V different words. Manning, Raghavan and Schuetze, Introduction to Information
/// Retrieval (2008), figure 13.2.
class NaiveBayes {
 public:
  NaiveBayes(const packseq::data::Documents& documents, std::int64_t words, std::int64_t classes) {
    const auto lengths = documents.sequences.lengths();
    const auto class_of_token = documents.labels.repeat_interleave(lengths);
    const auto pairs = class_of_token * words + documents.sequences.values();
    const auto counts = torch::bincount(pairs, {}, classes * words).view({classes, words}).to(torch::kDouble) + 1;
    word_ = (counts / counts.sum(1, /*keepdim=*/true)).log();
    class_ = (torch::bincount(documents.labels, {}, classes).to(torch::kDouble) / lengths.size(0)).log();
  }

  /// The logarithm of the probability of each class together with a document, its ids [L].
  torch::Tensor log_probabilities(const torch::Tensor& ids) const { return class_ + word_.index_select(1, ids).sum(1); }

  /// The share of documents whose class it finds.
  double accuracy(const packseq::data::Documents& documents) const {
    std::int64_t right = 0;
    for (std::int64_t i = 0; i < documents.sequences.size(); ++i) {
      const auto scores = log_probabilities(documents.sequences[i]);
      if (scores.argmax().item<std::int64_t>() == documents.labels[i].item<std::int64_t>()) ++right;
    }
    return static_cast<double>(right) / static_cast<double>(documents.sequences.size());
  }

 private:
  torch::Tensor word_;   // log probability of each word in each class
  torch::Tensor class_;  // log probability of each class
};
