#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace packseq::kernels {

/// A half-open range: of steps, of rows, or of paths.
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t size() const noexcept { return end - begin; }
  friend bool operator==(const Range&, const Range&) = default;
};

/// The steps of a packed batch, and who computes what of some of them.
///
/// Each row of a step lies on a path, and in each step the rows lie in the order of the paths. A path is a sequence of
/// the batch, with the number of its rank: the longest is the first. Or the rows are the nodes of a trie, which has but
/// one of those that sequences have in common that begin alike. A path is then what is left of a sequence after those
/// of the paths before it: from some step on, a row of each step, of which the first goes on from a row of another
/// path. Paths are numbered depth first: whatever goes on from a row, over any number of steps, lies on the paths from
/// its own on up to another. One that goes on from a row continues the row's own path.
struct Plan {
  std::span<const std::size_t> batch_sizes;  ///< Of each step, at least 1; never increasing unless there is a trie.
  std::span<const std::size_t> offsets;      ///< Of the first row of each step, and the number of rows: [T + 1].
  std::span<const std::int32_t> before;      ///< Of a trie: which row each row goes on from, but for the first step's.
  std::shared_ptr<const void> memory;        ///< Of all three; the parts of a batch share it.
  std::span<const std::int32_t> paths;       ///< Of a trie: on which path each row lies. The caller keeps them.
  std::size_t path_count = 0;

  Range range;  ///< The steps that are to be computed, all or a part of them.
  Range dealt;  ///< Those of them whose rows are dealt. In the others threads share the hidden units instead.
  /// Paths dealt to threads: each runs its own from end to end and waits for nobody.
  std::vector<Range> shares;
  std::size_t threads = 1;
  std::size_t team = 1;  ///< How many threads share hidden units.

  bool has_trie() const noexcept { return !paths.empty(); }
  std::size_t steps() const noexcept { return batch_sizes.size(); }
  Range first_shared_steps() const noexcept { return {range.begin, dealt.begin}; }
  Range last_shared_steps() const noexcept { return {dealt.end, range.end}; }
  std::size_t shared_steps() const noexcept { return range.size() - dealt.size(); }
  /// The rows of the steps that are to be computed.
  Range rows() const noexcept { return {offsets[range.begin], offsets[range.end]}; }
  /// The rows of a share in a step.
  Range rows(const Range& share, std::size_t step) const noexcept {
    if (has_trie()) return rows_in_trie(share, step);
    const std::size_t begin = offsets[step] + share.begin;
    return {begin, std::max(begin, std::min(offsets[step] + share.end, offsets[step + 1]))};
  }
  std::size_t path(std::size_t step, std::size_t row) const noexcept {
    return has_trie() ? static_cast<std::size_t>(paths[row]) : row - offsets[step];
  }

  /// The most rows of a share in any of some steps, and of all in any step.
  std::size_t most_rows(const Range& share, const Range& steps) const noexcept;
  std::size_t most_rows() const noexcept;

  /// How often a pass reads the weights of the hidden state: in each step of each share, and in each shared step.
  std::size_t reads() const noexcept;

 private:
  Range rows_in_trie(const Range& share, std::size_t step) const noexcept;
};

/// How many paths a trie has whose rows lie on these.
std::size_t count_paths(std::span<const std::int32_t> paths);

/// What a plan depends on besides the batch.
struct PlanOptions {
  std::size_t threads = 1;
  std::size_t directions = 1;    ///< Run at the same time; each has `shares` of its own.
  std::size_t weight_bytes = 0;  ///< Of the weights that every step reads.
};

/// Deals the rows of a packed batch so that every thread gets work that takes about as long. `paths` are those of a
/// trie's rows, or empty.
Plan make_plan(std::span<const std::int64_t> batch_sizes, const PlanOptions& options,
               std::span<const std::int32_t> paths = {});

/// The same in parts of about `rows` rows each, in the order of their steps: each part deals its rows anew.
std::vector<Plan> make_plans(std::span<const std::int64_t> batch_sizes, const PlanOptions& options, std::size_t rows,
                             std::span<const std::int32_t> paths = {});

}  // namespace packseq::kernels
