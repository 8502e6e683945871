// What the passes of a CRF have in common: its parameters, and documents in blocks. Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_CRF_PASS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_CRF_PASS_INL
#undef PACKSEQ_KERNELS_CRF_PASS_INL
#else
#define PACKSEQ_KERNELS_CRF_PASS_INL
#endif

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include "hwy/cache_control.h"
#include "kernels/arena.hpp"
#include "kernels/crf.hpp"
#include "kernels/crf_rows-inl.hpp"
#include "kernels/executor.hpp"
#include "kernels/layer-inl.hpp"
#include "kernels/packing-inl.hpp"
#include "kernels/plan.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Numbers from the largest of them on, and that.
template <class T>
struct FromLargest {
  T* numbers;
  T largest;
};

/// Of a matrix [height, count] to one that is `width` wide, `beyond` in its columns beyond.
template <class T>
FromLargest<T> from_largest(Arena& arena, const T* numbers, std::size_t height, const RowWidth<T>& rows, T beyond) {
  T largest = std::numeric_limits<T>::lowest();
  for (std::size_t i = 0; i < height * rows.count; ++i) largest = std::max(largest, numbers[i]);
  T* const to = arena.take<T>(height * rows.width);
  for (std::size_t i = 0; i < height; ++i) {
    for (std::size_t j = 0; j < rows.width; ++j) {
      to[i * rows.width + j] = j < rows.count ? numbers[i * rows.count + j] - largest : beyond;
    }
  }
  return {to, largest};
}

/// The rows of a matrix [height, width] in panels.
template <class T>
PackedMatrix<T> in_panels(Arena& arena, const T* matrix, std::size_t height, std::size_t width) {
  Packing<T> packing(arena, height, width, Format::plain);
  packing.take_rows({matrix, height, width});
  for (std::size_t p = 0; p < packing.packed().panels(); ++p) packing.pack(p);
  return packing.packed();
}

/// The parameters of a CRF, each from its largest number on.
template <class T>
struct CrfWeights {
  CrfWeights(Arena& arena, const Crf<T>& crf)
      : rows(crf.tags),
        start(from_largest(arena, crf.start, 1, rows, minus_infinity<T>)),
        end(from_largest(arena, crf.end, 1, rows, minus_infinity<T>)),
        transitions(from_largest(arena, crf.transitions, crf.tags, rows, T{0})),
        turned(arena.take<T>(crf.tags * rows.width)) {
    for (std::size_t j = 0; j < rows.count; ++j) {
      for (std::size_t i = 0; i < rows.width; ++i) {
        turned[j * rows.width + i] = i < rows.count ? transitions.numbers[i * rows.width + j] : T{0};
      }
    }
  }

  /// The exponentials of the transitions; in the columns beyond, 1, so that no sum is small there.
  T* exponentials(Arena& arena, const T* of) const {
    T* const to = arena.take<T>(rows.count * rows.width);
    for (std::size_t i = 0; i < rows.count * rows.width; i += hn::Lanes(Tag<T>())) {
      hn::StoreU(exp_or_zero(hn::LoadU(Tag<T>(), of + i)), Tag<T>(), to + i);
    }
    return to;
  }

  /// Whether there is NaN, which +infinity from itself on is as well.
  bool has_nan() const {
    const auto any = [](const T* numbers, std::size_t count) {
      return std::any_of(numbers, numbers + count, [](T x) { return std::isnan(x); });
    };
    return any(start.numbers, rows.count) || any(end.numbers, rows.count) ||
           any(transitions.numbers, rows.count * rows.width);
  }

  RowWidth<T> rows;
  FromLargest<T> start;
  FromLargest<T> end;
  FromLargest<T> transitions;  ///< Row i, column j.
  T* turned;                   ///< Row j, column i.
};

/// Documents in blocks: those of neighbouring ranks, which have about the same length, go step by step. Blocks do not
/// depend on the number of threads, nor do sums over them. What passes keep of tokens lies block after block; in the
/// batch, a block's steps lie far apart.
class CrfBlocks {
 public:
  CrfBlocks(Arena& arena, std::span<const std::int64_t> batch_sizes)
      : batch_sizes_(batch_sizes), documents_(batch_size(0)), offsets_(arena.take<std::size_t>(steps() + 1)) {
    offsets_[0] = 0;
    for (std::size_t t = 0; t < steps(); ++t) offsets_[t + 1] = offsets_[t] + batch_size(t);
    // Each has sums of its own: there must not be too many.
    constexpr std::size_t most = 64;
    const std::size_t tiles = (documents_ + tile_rows - 1) / tile_rows;
    per_block_ = tile_rows * ((tiles + most - 1) / most);
    count_ = (documents_ + per_block_ - 1) / per_block_;
    count_tokens(arena.take<std::size_t>(count_ + 1));
  }

  std::size_t count() const { return count_; }
  std::size_t per_block() const { return per_block_; }
  Range ranks(std::size_t block) const { return {block * per_block_, std::min((block + 1) * per_block_, documents_)}; }
  /// The places of a block's tokens, block after block and step after step.
  Range places(std::size_t block) const { return {first_[block], first_[block + 1]}; }
  /// The row of a token in the batch.
  std::size_t row(std::size_t step, std::size_t rank) const { return offsets_[step] + rank; }

  /// How many documents of a block reach a step.
  std::size_t live(const Range& ranks, std::size_t step) const {
    const std::size_t end = step < steps() ? std::min(batch_size(step), ranks.end) : 0;
    return end > ranks.begin ? end - ranks.begin : 0;
  }

  /// The length of the longest document of a block.
  std::size_t length(const Range& ranks) const {
    const auto reach = [&](std::int64_t size) { return static_cast<std::size_t>(size) > ranks.begin; };
    return static_cast<std::size_t>(std::partition_point(batch_sizes_.begin(), batch_sizes_.end(), reach) -
                                    batch_sizes_.begin());
  }

  /// Asks for numbers of a block's step, so many for each token: the CPU does not foresee where they lie.
  template <class T>
  void prefetch(const T* numbers, std::size_t per_token, const Range& ranks, std::size_t step) const {
    if (step >= steps()) return;
    constexpr std::size_t line = 64 / sizeof(T);
    const T* const first = numbers + row(step, ranks.begin) * per_token;
    const std::size_t count = live(ranks, step) * per_token;
    if (count == 0) return;
    for (std::size_t i = 0; i < count; i += line) hwy::Prefetch(first + i);
    hwy::Prefetch(first + count - 1);  // may lie in a line of its own
  }

  /// How many threads they are worth: one that starts takes as long as some thousand of its operations.
  std::size_t parts(std::size_t tags, std::size_t threads) const {
    constexpr std::size_t operations_worth_a_thread = 20'000;
    const std::size_t operations = offsets_[steps()] * tags * (tags + 8);
    return std::clamp<std::size_t>(std::min(threads, operations / operations_worth_a_thread), 1, count());
  }

 private:
  std::size_t steps() const { return batch_sizes_.size(); }
  std::size_t batch_size(std::size_t step) const { return static_cast<std::size_t>(batch_sizes_[step]); }

  void count_tokens(std::size_t* first) {
    std::fill_n(first, count_ + 1, std::size_t{0});
    for (std::size_t t = steps(), ended = 0; t-- > 0;) {
      for (; ended < batch_size(t); ++ended) first[ended / per_block_ + 1] += t + 1;
    }
    std::partial_sum(first, first + count_ + 1, first);
    first_ = first;
  }

  std::span<const std::int64_t> batch_sizes_;
  std::size_t documents_;
  std::size_t* offsets_;
  std::size_t per_block_ = 0;
  std::size_t count_ = 0;
  const std::size_t* first_ = nullptr;  // of each block's tokens
};

/// So many steps ahead numbers are asked for.
constexpr std::size_t steps_ahead = 4;

/// Rows for a block, one for each of its documents.
template <class T>
class RowList {
 public:
  RowList(Arena& arena, std::size_t count, std::size_t width)
      : memory_(arena.take<T>(count * width)), rows_(arena.take<T*>(count)), width_(width) {
    for (std::size_t i = 0; i < count; ++i) rows_[i] = memory_ + i * width;
  }
  T* operator[](std::size_t i) const { return memory_ + i * width_; }
  T* const* rows() const { return rows_; }

 private:
  T* memory_;
  T** rows_;
  std::size_t width_;
};

/// Some blocks, the longest documents first.
using CrfShare = std::span<const std::size_t>;

/// Deals blocks to threads: each goes to who has least, the longest documents first.
inline std::vector<std::vector<std::size_t>> deal_blocks(const CrfBlocks& blocks, std::size_t parts) {
  std::vector<std::vector<std::size_t>> shares(parts);
  std::vector<std::size_t> tokens(parts, 0);
  for (std::size_t block = 0; block < blocks.count(); ++block) {
    const auto least = static_cast<std::size_t>(std::min_element(tokens.begin(), tokens.end()) - tokens.begin());
    shares[least].push_back(block);
    tokens[least] += blocks.places(block).size();
  }
  return shares;
}

/// Runs a pass, whose `run(part, share)` may be called on many threads at once, each part on one of them.
template <class Pass, class Kernel>
void run_crf(const Kernel& crf, std::size_t threads, const Executor& executor) {
  Arena arena;
  const CrfBlocks blocks(arena, crf.batch_sizes);
  const auto shares = deal_blocks(blocks, blocks.parts(crf.tags, threads));
  Pass pass(arena, crf, blocks, shares.size());
  executor(shares.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t part = begin; part < end; ++part) pass.run(part, shares[part]);
  });
  if constexpr (requires { pass.finish(); }) pass.finish();
}

/// So many steps of a block are run before those of the next one, whose rows lie beside them in memory: few enough for
/// their pages to be known still, and enough for the block's own state to be worth fetching.
constexpr std::size_t steps_per_window = 16;

/// Calls `step(block, t)` for all steps of each block in their order.
template <class Step>
void step_forward(const CrfBlocks& blocks, CrfShare share, const Step& step) {
  const std::size_t longest = blocks.length(blocks.ranks(share.front()));
  for (std::size_t first = 0; first < longest; first += steps_per_window) {
    for (const std::size_t block : share) {
      const std::size_t end = std::min(first + steps_per_window, blocks.length(blocks.ranks(block)));
      for (std::size_t t = first; t < end; ++t) step(block, t);
    }
  }
}

/// The same from the last step to the first.
template <class Step>
void step_backward(const CrfBlocks& blocks, CrfShare share, const Step& step) {
  const std::size_t longest = blocks.length(blocks.ranks(share.front()));
  for (std::size_t window = (longest + steps_per_window - 1) / steps_per_window; window-- > 0;) {
    const std::size_t first = window * steps_per_window;
    for (const std::size_t block : share) {
      const std::size_t end = std::min(first + steps_per_window, blocks.length(blocks.ranks(block)));
      for (std::size_t t = end; t-- > first;) step(block, t);
    }
  }
}

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
