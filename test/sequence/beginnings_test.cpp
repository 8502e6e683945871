#include "sequence/beginnings.hpp"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cstdint>
#include <set>
#include <vector>

#include "packseq/sequence/pack.hpp"
#include "support/sequences.hpp"

namespace packseq::test {
namespace {

using detail::Beginnings;
using Ids = std::vector<std::int64_t>;

std::vector<std::int64_t> batch_sizes_of(const PackedSequence& packed) {
  const at::Tensor sizes = packed.batch_sizes();
  return {sizes.data_ptr<std::int64_t>(), sizes.data_ptr<std::int64_t>() + sizes.size(0)};
}

PackedSequence random_batch(std::int64_t documents, std::int64_t longest, std::int64_t words) {
  std::vector<at::Tensor> all;
  for (std::int64_t i = 0; i < documents; ++i) {
    all.push_back(torch::randint(0, words, {torch::randint(1, longest + 1, {1}).item<std::int64_t>()}, at::kLong));
  }
  return pack_sequence(all);
}

/// Each beginning of the documents, once, by its number of tokens; `start` of a document counts as its first token.
std::vector<std::set<Ids>> slow_beginnings(const PackedSequence& packed, const std::vector<std::int32_t>& starts) {
  const auto sizes = batch_sizes_of(packed);
  std::vector<Ids> documents(static_cast<std::size_t>(sizes.front()));
  for (std::size_t rank = 0; rank < starts.size(); ++rank) documents[rank].push_back(starts[rank]);
  std::vector<std::set<Ids>> all(sizes.size());
  std::int64_t token = 0;
  for (std::size_t step = 0; step < sizes.size(); ++step) {
    for (std::int64_t rank = 0; rank < sizes[step]; ++rank) {
      Ids& document = documents[static_cast<std::size_t>(rank)];
      document.push_back(packed.data()[token++].item<std::int64_t>());
      all[step].insert(document);
    }
  }
  return all;
}

void expect_beginnings(const PackedSequence& packed, const std::vector<std::int32_t>& starts) {
  const auto expected = slow_beginnings(packed, starts);
  const Beginnings beginnings(packed.data(), batch_sizes_of(packed), starts);
  const auto by_step = beginnings.count_by_step();
  std::int64_t count = 0;
  for (std::size_t step = 0; step < expected.size(); ++step) {
    ASSERT_EQ(by_step[step], static_cast<std::int64_t>(expected[step].size()));
    count += by_step[step];
  }
  EXPECT_EQ(beginnings.count(), count);
  EXPECT_EQ(Beginnings(packed.data().to(at::kInt), batch_sizes_of(packed), starts).count(), count);
}

/// Tokens have the same node if and only if they end the same beginning, and nodes know the tokens that they end with.
void expect_trie(const PackedSequence& packed) {
  const auto trie = Beginnings(packed.data(), batch_sizes_of(packed)).trie();
  EXPECT_SAME(trie.nodes.index_select(0, trie.tokens), torch::arange(trie.paths.size(0), at::kInt));
  EXPECT_SAME(packed.data().index_select(0, trie.tokens).index_select(0, trie.nodes), packed.data());
  const auto sizes = batch_sizes_of(packed);
  std::int64_t before = 0, first = sizes.front();
  for (std::size_t step = 1; step < sizes.size(); ++step) {
    for (std::int64_t a = 0; a < sizes[step]; ++a) {
      for (std::int64_t b = 0; b < a; ++b) {
        const auto same = [&](std::int64_t step_begin, const at::Tensor& of) {
          return of[step_begin + a].equal(of[step_begin + b]);
        };
        ASSERT_EQ(same(first, trie.nodes), same(before, trie.nodes) && same(first, packed.data()));
      }
    }
    before = first;
    first += sizes[step];
  }
}

TEST(Beginnings, AreThoseOfASlowSearch) {
  torch::manual_seed(0);
  for (const std::int64_t words : {1, 2, 5, 1000}) {
    for (const std::int64_t documents : {1, 2, 30}) {
      const auto packed = random_batch(documents, 9, words);
      expect_beginnings(packed, {});
      std::vector<std::int32_t> starts;
      for (std::int64_t i = 0; i < documents; ++i) starts.push_back(static_cast<std::int32_t>(i * i % 3));
      expect_beginnings(packed, starts);
      expect_trie(packed);
    }
  }
}

TEST(Beginnings, AreFoundSoonWhateverTheText) {
  // Each document a beginning of the next: every comparison goes to the end of one.
  std::vector<at::Tensor> documents(2000, torch::zeros({2000}, at::kLong));
  const auto packed = pack_sequence(documents);
  EXPECT_EQ(Beginnings(packed.data(), batch_sizes_of(packed)).count(), 2000);
}

TEST(ReversedTokens, ChangePlacesInEachDocument) {
  const std::vector<std::int64_t> sizes = {3, 2, 1};  // documents of 3, 2 and 1 tokens
  EXPECT_SAME(detail::reversed_tokens(sizes), torch::tensor({5, 4, 2, 3, 1, 0}, at::kInt));
  EXPECT_SAME(detail::last_tokens(sizes), torch::tensor({5, 4, 2}, at::kInt));
}

}  // namespace
}  // namespace packseq::test
