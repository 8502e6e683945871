#pragma once

#include <torch/types.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "packseq/data/batch_sampler.hpp"

// The batches that a sampler deals, and what it is made of.

namespace packseq::data {

using Batch = std::vector<std::size_t>;
using Batches = std::vector<Batch>;

inline const std::vector<Batching> batchings = {
    FixedSize{7},
    FixedSize{1000},
    Bucketed{7, 10},
    Bucketed{7},
    TokenBudget{64},
    TokenBudget{.max_tokens = 64, .count = TokenCount::padded},
    TokenBudget{.max_tokens = 64, .count = TokenCount::padded, .documents_per_bucket = 20},
    TokenBudget{.max_tokens = 20, .longer_alone = true},
    TokenBudget{.max_tokens = 20, .count = TokenCount::padded, .longer_alone = true}};

/// Five hundred documents of 0 to 29 tokens, the same each time.
inline at::Tensor random_lengths() {
  torch::manual_seed(1);
  return torch::randint(0, 30, {500}, torch::kLong);
}

inline at::Tensor lengths_of(const std::vector<std::int64_t>& lengths) { return torch::tensor(lengths, torch::kLong); }

/// What is left of the epoch that runs.
inline Batches rest_of_epoch(BatchSampler& sampler) {
  Batches batches;
  while (auto batch = sampler.next()) batches.push_back(*std::move(batch));
  return batches;
}

inline Batches first_epoch(const at::Tensor& lengths, const Batching& batching,
                           const BatchSamplerOptions& options = {}) {
  BatchSampler sampler(lengths, batching, options);
  return rest_of_epoch(sampler);
}

inline Batches next_epoch(BatchSampler& sampler) {
  sampler.reset();
  return rest_of_epoch(sampler);
}

}  // namespace packseq::data
