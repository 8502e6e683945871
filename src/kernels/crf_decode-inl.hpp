// The tags of the highest score (Viterbi, 1967). Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_CRF_DECODE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_CRF_DECODE_INL
#undef PACKSEQ_KERNELS_CRF_DECODE_INL
#else
#define PACKSEQ_KERNELS_CRF_DECODE_INL
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/crf_pass-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
class CrfDecodePass {
 public:
  CrfDecodePass(Arena& arena, const CrfDecode<T>& crf, const CrfBlocks& blocks, std::size_t parts)
      : crf_(crf),
        blocks_(blocks),
        weights_(arena, crf),
        rows_(weights_.rows),
        has_nan_(weights_.has_nan()),
        matrix_(in_panels(arena, weights_.transitions.numbers, crf.tags, rows_.width)),
        nothing_(arena, blocks.per_block(), rows_.width) {
    std::fill_n(nothing_.row(), rows_.width, minus_infinity<T>);
    for (std::size_t i = 0; i < parts; ++i) states_.emplace_back(arena, blocks, rows_.width);
  }

  void run(std::size_t part, CrfShare share) {
    State& state = states_[part];
    // Block by block, so that what is kept of one stays in a near cache.
    for (const std::size_t block : share) {
      const Range ranks = blocks_.ranks(block);
      const std::size_t length = blocks_.length(ranks);
      std::fill_n(state.has_nan, ranks.size(), has_nan_);
      for (std::size_t t = 0; t < length; ++t) step(state, ranks, t);
      for (std::size_t t = length; t-- > 0;) trace_step(state, ranks, t);
    }
  }

 private:
  struct alignas(64) State {  // each in cache lines of its own
    State(Arena& arena, const CrfBlocks& blocks, std::size_t width)
        : next(arena.take<T>(blocks.places(0).size() * width)),  // the first block has the longest documents
          before(arena, blocks.per_block(), width),
          rows(arena.take<const T*>(blocks.per_block())),
          has_nan(arena.take<bool>(blocks.per_block())),
          scores(arena.take<double>(blocks.per_block())) {}
    T* next;            // of the next token the best score of all sequences that end in each tag, from the best one on
    RowList<T> before;  // the best score that comes to each tag from the token before
    const T** rows;
    bool* has_nan;
    double* scores;  // of what is traced
  };

  struct Token {
    std::size_t rank;
    std::size_t document;  // in its block
    std::size_t step;
    bool is_last;
  };

  void step(State& state, const Range& ranks, std::size_t t) const {
    blocks_.prefetch(crf_.scores, rows_.count, ranks, t + steps_ahead);
    const std::size_t live = blocks_.live(ranks, t);
    if (t > 0) find_best_before(state, state.next - blocks_.live(ranks, t - 1) * rows_.width, live);
    T* const first = state.next;
    for (std::size_t i = 0; i < live; ++i) {
      advance(state, i, t, crf_.scores + blocks_.row(t, ranks.begin + i) * rows_.count, first + i * rows_.width);
    }
    state.next = first + live * rows_.width;
  }

  void trace_step(State& state, const Range& ranks, std::size_t t) const {
    if (t > steps_ahead) {
      blocks_.prefetch(crf_.scores, rows_.count, ranks, t - steps_ahead - 1);
      blocks_.prefetch(crf_.best, 1, ranks, t - steps_ahead - 1);
    }
    const std::size_t live = blocks_.live(ranks, t);
    const std::size_t going_on = blocks_.live(ranks, t + 1);
    state.next -= live * rows_.width;
    for (std::size_t i = 0; i < live; ++i) {
      trace(state, {ranks.begin + i, i, t, i >= going_on}, state.next + i * rows_.width);
    }
  }

  void find_best_before(const State& state, const T* best, std::size_t live) const {
    for (std::size_t i = 0; i < live; ++i) state.rows[i] = best + i * rows_.width;
    multiply_rows<MaxPlus>(state.rows, live, matrix_, state.before.rows(), nothing_.rows());
  }

  void advance(const State& state, std::size_t i, std::size_t t, const T* scores, T* to) const {
    const Tag<T> d;
    const T* const before = t == 0 ? weights_.start.numbers : state.before[i];
    const auto best = rows_.largest([&](std::size_t k) { return rows_.load(scores, k, minus_infinity<T>); });
    auto largest = hn::Set(d, std::numeric_limits<T>::lowest());
    bool has_nan = false;
    rows_.for_vectors([&](std::size_t k) {
      const auto score = hn::Sub(rows_.load(scores, k, minus_infinity<T>), best);
      has_nan = has_nan || !hn::AllFalse(d, hn::IsNaN(score));
      const auto sum = hn::Add(score, hn::LoadU(d, before + k));
      largest = hn::Max(largest, sum);
      hn::StoreU(sum, d, to + k);
    });
    state.has_nan[i] = state.has_nan[i] || has_nan;
    largest = hn::MaxOfLanes(d, largest);
    rows_.for_vectors([&](std::size_t k) { hn::StoreU(hn::Sub(hn::LoadU(d, to + k), largest), d, to + k); });
  }

  /// The first place of the largest of sums of two rows.
  std::size_t place_of_largest(const T* a, const T* b) const {
    const Tag<T> d;
    const auto sum = [&](std::size_t k) { return hn::Add(hn::LoadU(d, a + k), hn::LoadU(d, b + k)); };
    auto largest = hn::Set(d, minus_infinity<T>);
    rows_.for_vectors([&](std::size_t k) { largest = hn::Max(largest, sum(k)); });
    largest = hn::MaxOfLanes(d, largest);
    std::size_t first = 0;
    while (first + hn::Lanes(d) < rows_.width && hn::AllFalse(d, hn::Eq(sum(first), largest))) first += hn::Lanes(d);
    return first +
           static_cast<std::size_t>(std::max<std::ptrdiff_t>(hn::FindFirstTrue(d, hn::Eq(sum(first), largest)), 0));
  }

  void trace(const State& state, const Token& token, const T* best) const {
    const std::size_t row = blocks_.row(token.step, token.rank);
    const T* after = weights_.end.numbers;
    const T* score_of_after = crf_.end;
    std::size_t stride = 1;
    if (!token.is_last) {
      const auto next = static_cast<std::size_t>(crf_.best[blocks_.row(token.step + 1, token.rank)]);
      after = weights_.turned + next * rows_.width;
      score_of_after = crf_.transitions + next;
      stride = rows_.count;
    }
    const bool has_nan = state.has_nan[token.document];
    const std::size_t tag = has_nan ? 0 : place_of_largest(best, after);
    crf_.best[row] = static_cast<std::int64_t>(tag);
    double& score = state.scores[token.document];
    if (token.is_last) score = has_nan ? std::numeric_limits<double>::quiet_NaN() : 0;
    score += static_cast<double>(crf_.scores[row * rows_.count + tag]);
    score += static_cast<double>(score_of_after[tag * stride]);
    if (token.step > 0) return;
    crf_.best_scores[crf_.order[token.rank]] = static_cast<T>(score + static_cast<double>(crf_.start[tag]));
  }

  CrfDecode<T> crf_;
  const CrfBlocks& blocks_;
  CrfWeights<T> weights_;
  RowWidth<T> rows_;
  bool has_nan_;
  PackedMatrix<T> matrix_;
  RepeatedRow<T> nothing_;
  std::vector<State> states_;  // of each part
};

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
