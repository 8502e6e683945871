#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace packseq::kernels {

/// A half-open range: of steps, or of ranks, the places of sequences in a packed batch, longest first.
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t size() const noexcept { return end - begin; }
};

/// The steps of a packed batch, and who computes what of some of them.
struct Plan {
  std::span<const std::size_t> batch_sizes;  ///< Of each step; never increasing, at least 1.
  std::span<const std::size_t> offsets;      ///< Of the first row of each step, and the number of rows: [T + 1].
  std::shared_ptr<const void> memory;        ///< Of both; the parts of a batch share it.

  Range range;  ///< The steps that are to be computed, all or a part of them.
  /// Ranks dealt to threads: each runs its own sequences from end to end and waits for nobody.
  std::vector<Range> shares;
  /// The first step of those that have too few sequences to be dealt: there, threads share the hidden units instead.
  std::size_t shared_from = 0;
  /// How many threads do so.
  std::size_t team = 1;

  std::size_t steps() const noexcept { return batch_sizes.size(); }
  Range dealt_steps() const noexcept { return {range.begin, shared_from}; }
  Range shared_steps() const noexcept { return {shared_from, range.end}; }
  /// The rows of the steps that are to be computed.
  Range rows() const noexcept { return {offsets[range.begin], offsets[range.end]}; }

  /// How many sequences of a share reach a step.
  std::size_t live(const Range& share, std::size_t step) const noexcept {
    const std::size_t end = batch_sizes[step] < share.end ? batch_sizes[step] : share.end;
    return end > share.begin ? end - share.begin : 0;
  }

  /// How often a pass reads the weights of the hidden state: in each step of each share, and in each shared step.
  std::size_t reads() const noexcept;
};

/// What a plan depends on besides the batch.
struct PlanOptions {
  std::size_t threads = 1;
  std::size_t directions = 1;    ///< Run at the same time; each has `shares` of its own.
  std::size_t weight_bytes = 0;  ///< Of the weights that every step reads.
};

/// Deals the sequences of a packed batch so that every thread gets work that takes about as long.
Plan make_plan(std::span<const std::int64_t> batch_sizes, const PlanOptions& options);

/// The same in parts of about `rows` rows each, in the order of their steps: each part deals its sequences anew.
std::vector<Plan> make_plans(std::span<const std::int64_t> batch_sizes, const PlanOptions& options, std::size_t rows);

}  // namespace packseq::kernels
