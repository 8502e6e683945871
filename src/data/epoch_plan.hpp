#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "data/shuffle.hpp"
#include "packseq/data/batch_sampler.hpp"

namespace packseq::data::detail {

/// How the documents of one epoch are dealt.
struct EpochPlan {
  /// A range of `order`.
  struct Batch {
    std::size_t begin;
    std::size_t end;
  };

  std::vector<std::size_t> order;  ///< All documents, those of a batch next to each other.
  std::vector<Batch> batches;      ///< In the order in which they come.
};

/// Refuses numbers out of range, and documents that fit no batch; `lengths` are those of all documents.
void check_batching(const std::vector<std::int64_t>& lengths, const Batching& batching);

/// The plan of an epoch whose random numbers have not been drawn from yet; without any, of one in order.
EpochPlan plan_epoch(const std::vector<std::int64_t>& lengths, const Batching& batching,
                     std::optional<EpochRandom> random);

}  // namespace packseq::data::detail
