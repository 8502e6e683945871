#include "distributed/deal.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <numeric>

#include "distributed/lengths.hpp"

namespace packseq::distributed {
namespace {

/// The tokens of the rank that has most, over the mean.
double imbalance(const std::vector<std::int64_t>& lengths, const std::vector<std::int64_t>& rank_of,
                 std::int64_t ranks) {
  std::vector<std::int64_t> tokens(static_cast<std::size_t>(ranks));
  for (std::size_t i = 0; i < lengths.size(); ++i) tokens[static_cast<std::size_t>(rank_of[i])] += lengths[i];
  const auto all = std::accumulate(tokens.begin(), tokens.end(), std::int64_t{0});
  return static_cast<double>(*std::max_element(tokens.begin(), tokens.end()) * ranks) / static_cast<double>(all);
}

TEST(Deal, KeepsRanksAsBusyAsEachOther) {
  std::cout << "max / mean tokens of a rank     dealt by documents   by tokens   longest document\n";
  for (const std::int64_t per_rank : {16, 64}) {
    for (std::int64_t ranks = 2; ranks <= 1024; ranks *= 2) {
      const auto lengths = test::log_normal_lengths(static_cast<std::size_t>(ranks * per_rank));
      std::vector<std::int64_t> by_documents(lengths.size());
      for (std::size_t i = 0; i < lengths.size(); ++i) by_documents[i] = static_cast<std::int64_t>(i) % ranks;
      const double documents = imbalance(lengths, by_documents, ranks);
      const double tokens = imbalance(lengths, detail::deal(lengths, ranks), ranks);
      const double mean = static_cast<double>(std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0})) /
                          static_cast<double>(ranks);
      const double longest = static_cast<double>(*std::max_element(lengths.begin(), lengths.end())) / mean;
      std::cout << std::setw(5) << ranks << " ranks, " << per_rank << " documents each" << std::fixed
                << std::setprecision(3) << std::setw(15) << documents << std::setw(15) << tokens << std::setw(12)
                << longest << '\n';
      // The busiest rank cannot have less than the longest document, which is not cut.
      EXPECT_LE(tokens, std::max(1.01, longest + 1e-9));
      EXPECT_LE(tokens, documents);
    }
  }
}

TEST(Deal, SpreadsDocumentsWithoutTokens) {
  EXPECT_EQ(detail::deal(std::vector<std::int64_t>{0, 0, 0, 0}, 3), (std::vector<std::int64_t>{0, 1, 2, 0}));
  EXPECT_EQ(detail::deal(std::vector<std::int64_t>{1, 5, 2, 2}, 2), (std::vector<std::int64_t>{1, 0, 1, 1}));
  EXPECT_EQ(detail::deal({}, 2), std::vector<std::int64_t>());
}

}  // namespace
}  // namespace packseq::distributed
