#pragma once

#include <gtest/gtest.h>
#include <torch/cuda.h>
#include <torch/types.h>

#include <algorithm>
#include <random>
#include <vector>

#include "throws.hpp"

namespace packseq::test {

/// What random sequences look like.
struct SequencesOptions {
  std::int64_t min_length = 0;
  std::int64_t max_length = 9;
  std::vector<std::int64_t> trailing = {};  ///< Sizes after the first dimension.
  c10::ScalarType dtype = at::kFloat;
  c10::Device device = at::kCPU;
};

/// Between 1 and 12 sequences of random lengths and content; the same for the same state of `random`.
inline std::vector<at::Tensor> random_sequences(std::mt19937& random, const SequencesOptions& options = {}) {
  std::vector<at::Tensor> sequences(std::uniform_int_distribution<std::size_t>(1, 12)(random));
  std::uniform_int_distribution<std::int64_t> length(options.min_length, options.max_length);
  for (at::Tensor& sequence : sequences) {
    auto sizes = options.trailing;
    sizes.insert(sizes.begin(), length(random));
    sequence = torch::randint(0, 100, sizes).to(options.device, options.dtype);
  }
  return sequences;
}

/// Lengths without ties, for which there is one way only to pack: shuffled, from `first` up.
inline std::vector<at::Tensor> sequences_of_distinct_lengths(std::mt19937& random, std::int64_t first, bool sorted) {
  auto sequences = random_sequences(random, {.min_length = 1, .max_length = 1});
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    sequences[i] = torch::rand({first + static_cast<std::int64_t>(sequences.size() - i), 2}, at::kDouble);
  }
  if (!sorted) std::shuffle(sequences.begin(), sequences.end(), random);
  return sequences;
}

/// Batches of random sequences, one for each dtype that is stored in its own way and each number of further
/// dimensions, some of them with empty sequences, and one with nothing else.
inline std::vector<std::vector<at::Tensor>> batches_of_every_kind(std::mt19937& random, c10::Device device) {
  std::vector<std::vector<at::Tensor>> batches;
  for (const auto dtype :
       {at::kBool, at::kChar, at::kLong, at::kHalf, at::kBFloat16, at::kFloat, at::kDouble, at::kComplexFloat}) {
    for (const auto& trailing : std::vector<std::vector<std::int64_t>>{{}, {3}, {2, 0}, {2, 3}}) {
      for (const std::int64_t max_length : {0, 2, 9}) {
        batches.push_back(random_sequences(
            random, {.max_length = max_length, .trailing = trailing, .dtype = dtype, .device = device}));
      }
    }
  }
  return batches;
}

/// The devices that tests run on: the CPU, and CUDA where there is one.
inline std::vector<c10::Device> devices() {
  if (torch::cuda::is_available()) return {at::kCPU, at::kCUDA};
  return {at::kCPU};
}

}  // namespace packseq::test

/// Both tensors have the same dtype, device, sizes and bits.
#define EXPECT_SAME(actual, expected)                                                                            \
  EXPECT_TRUE(at::equal(actual, expected) && (actual).dtype() == (expected).dtype()) << (actual) << "\nis not\n" \
                                                                                     << (expected)
