#include "packseq/data/collate.hpp"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "packseq/sequence/pack.hpp"
#include "packseq/sequence/pad.hpp"
#include "support/sequences.hpp"

namespace packseq::data {
namespace {

const at::Tensor twelve_labels = torch::arange(12, torch::kLong);

/// Documents of random lengths and ids, with labels.
Documents random_documents(std::mt19937& random, std::int64_t max_length = 9) {
  const Jagged ids(test::random_sequences(random, {.max_length = max_length, .dtype = at::kLong}));
  return {ids, twelve_labels.slice(0, 0, ids.size())};
}

void expect_same(const PackedSequence& actual, const PackedSequence& expected) {
  EXPECT_SAME(actual.data(), expected.data());
  EXPECT_SAME(actual.batch_sizes(), expected.batch_sizes());
  EXPECT_SAME(actual.sorted_indices(), expected.sorted_indices());
  EXPECT_SAME(actual.unsorted_indices(), expected.unsorted_indices());
}

TEST(Pack, IsPackSequenceWithLabels) {
  std::mt19937 random(1);
  for (int i = 0; i < 50; ++i) {
    const auto documents = random_documents(random);
    const auto batch = Pack().apply_batch(documents);
    expect_same(batch.input, pack_sequence(documents.sequences));
    EXPECT_SAME(batch.target, documents.labels);
    EXPECT_FALSE(Pack().apply_batch({documents.sequences}).target.defined());
  }
}

TEST(Pad, IsPadSequenceWithLengthsAndLabels) {
  std::mt19937 random(2);
  for (int i = 0; i < 50; ++i) {
    const auto documents = random_documents(random);
    const auto batch = Pad(7).apply_batch(documents);
    EXPECT_SAME(batch.input, pad_sequence(documents.sequences, {.batch_first = true, .padding_value = 7}));
    EXPECT_SAME(batch.lengths, documents.sequences.lengths());
    EXPECT_SAME(batch.target, documents.labels);
  }
}

TEST(Pad, PadsWithZeroUnlessTold) {
  const auto batch = Pad().apply_batch({Jagged({torch::tensor({5}), torch::tensor({6, 7})})});
  EXPECT_SAME(batch.input, torch::tensor({{5, 0}, {6, 7}}));
  EXPECT_FALSE(batch.target.defined());
}

/// Slices of each document, packed.
PackedSequence packed_slices(const Jagged& ids, std::int64_t from, std::int64_t less) {
  std::vector<at::Tensor> slices;
  for (const auto& document : ids.unbind()) {
    const std::int64_t count = std::max<std::int64_t>(document.size(0) - 1, 0);
    slices.push_back(count == 0 ? document.slice(0, 0, 0) : document.slice(0, from, document.size(0) - less));
  }
  return pack_sequence(slices);
}

TEST(PackNextToken, PairsEachTokenWithTheNext) {
  std::mt19937 random(3);
  for (const std::int64_t max_length : {9, 3, 2, 1, 0}) {
    for (int i = 0; i < 50; ++i) {
      const auto ids = random_documents(random, max_length).sequences;
      const auto batch = PackNextToken().apply_batch({ids});
      expect_same(batch.input, packed_slices(ids, 0, 1));
      expect_same(batch.token_target, packed_slices(ids, 1, 0));
    }
  }
}

TEST(PackNextToken, ReadsAsItsExample) {
  const auto batch = PackNextToken().apply_batch({Jagged({torch::tensor({1, 2, 3}), torch::tensor({4, 5, 6, 7})})});
  EXPECT_SAME(batch.input.data(), torch::tensor({4, 1, 5, 2, 6}));
  EXPECT_SAME(batch.token_target.data(), torch::tensor({5, 2, 6, 3, 7}));
}

}  // namespace
}  // namespace packseq::data
