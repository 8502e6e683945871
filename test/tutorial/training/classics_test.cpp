// The classic methods that the training programs are held against must not be weaker than they are meant to be.

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <random>

#include "tutorial/training/bigram.hpp"
#include "tutorial/training/naive_bayes.hpp"

namespace {

at::Tensor ids(const std::vector<std::int64_t>& values) { return torch::tensor(values, at::kLong); }

TEST(NaiveBayes, FindsTheNumbersOfTheBook) {
  // Introduction to Information Retrieval, example 13.1: Chinese Beijing Shanghai Macao Tokyo Japan are 0 ... 5.
  const packseq::data::Documents documents{{ids({0, 1, 0}), ids({0, 0, 2}), ids({0, 3}), ids({4, 5, 0})},
                                           ids({1, 1, 1, 0})};
  const NaiveBayes naive_bayes(documents, 6, 2);
  const auto document = ids({0, 0, 0, 4, 5});
  const auto probabilities = naive_bayes.log_probabilities(document).exp();
  EXPECT_NEAR(probabilities[1].item<double>(), 3. / 4 * std::pow(3. / 7, 3) / 14 / 14, 1e-12);
  EXPECT_NEAR(probabilities[0].item<double>(), 1. / 4 * std::pow(2. / 9, 5), 1e-12);
  EXPECT_EQ(naive_bayes.accuracy({{document, document}, ids({1, 0})}), .5);
}

TEST(Bigram, FindsTheNumbersThatAreFoundByHand) {
  // Of the pairs 1 2 (twice), 2 1 and 1 3, two occur once and one twice: the discount is 2 / (2 + 2 * 1).
  const Bigram bigram({ids({1, 2, 1, 2}), ids({1, 3})}, 4);
  const double any = .5 / 3 + .5 * 3 / 3 / 4;  // of the words that come after another
  EXPECT_NEAR(bigram.probability(1, 2), 1.5 / 3 + .5 * 2 / 3 * any, 1e-12);
  EXPECT_NEAR(bigram.probability(2, 3), .5 * any, 1e-12);
  EXPECT_NEAR(bigram.probability(2, 0), .5 * .5 / 4, 1e-12);
  EXPECT_NEAR(bigram.probability(3, 1), any, 1e-12);
  EXPECT_NEAR(bigram.perplexity({ids({1, 2}), ids({3, 1})}), 1 / std::sqrt(bigram.probability(1, 2) * any), 1e-12);
}

TEST(Bigram, GivesProbabilitiesThatAddUpToOne) {
  std::mt19937 random(1);
  std::vector<at::Tensor> documents;
  for (int i = 0; i < 50; ++i) {
    std::vector<std::int64_t> document(random() % 9);
    for (auto& id : document) id = static_cast<std::int64_t>(random() % 5 * (random() % 5));
    documents.push_back(ids(document));
  }
  const Bigram bigram(documents, 20);
  for (std::int64_t first = 0; first < 20; ++first) {
    double sum = 0;
    for (std::int64_t second = 0; second < 20; ++second) sum += bigram.probability(first, second);
    EXPECT_NEAR(sum, 1, 1e-12) << "after " << first;
  }
}

}  // namespace
