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
    // The first block has the longest documents.
    const std::size_t tokens = blocks.places(0).size();
    for (std::size_t i = 0; i < parts; ++i) workers_.emplace_back(arena, blocks.per_block(), tokens, rows_.width);
  }

  void run(std::size_t part, std::size_t block) const {
    const Worker& worker = workers_[part];
    const Range ranks = blocks_.ranks(block);
    std::fill_n(worker.has_nan, ranks.size(), has_nan_);
    const std::size_t length = blocks_.length(ranks);
    T* best = worker.best;  // of the step's first token
    for (std::size_t t = 0; t < length; ++t) {
      if (t + steps_ahead < length) blocks_.prefetch(crf_.scores, rows_.count, ranks, t + steps_ahead);
      const std::size_t live = blocks_.live(ranks, t);
      if (t > 0) find_best_before(worker, best - blocks_.live(ranks, t - 1) * rows_.width, live);
      for (std::size_t i = 0; i < live; ++i, best += rows_.width) {
        advance(worker, i, t, crf_.scores + blocks_.row(t, ranks.begin + i) * rows_.count, best);
      }
    }
    for (std::size_t t = length; t-- > 0;) {
      if (t > steps_ahead) blocks_.prefetch(crf_.scores, rows_.count, ranks, t - steps_ahead - 1);
      const std::size_t live = blocks_.live(ranks, t);
      const std::size_t going_on = blocks_.live(ranks, t + 1);
      best -= live * rows_.width;
      for (std::size_t i = 0; i < live; ++i) {
        trace(worker, {ranks.begin + i, i, t, i >= going_on}, best + i * rows_.width);
      }
    }
  }

 private:
  struct Worker {
    Worker(Arena& arena, std::size_t documents, std::size_t tokens, std::size_t width)
        : best(arena.take<T>(tokens * width)),
          before(arena, documents, width),
          rows(arena.take<const T*>(documents)),
          has_nan(arena.take<bool>(documents)),
          scores(arena.take<double>(documents)) {}
    T* best;            // of each token the best score of all sequences that end in each tag, from the best one on
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

  void find_best_before(const Worker& worker, const T* best, std::size_t live) const {
    for (std::size_t i = 0; i < live; ++i) worker.rows[i] = best + i * rows_.width;
    multiply_rows<MaxPlus>(worker.rows, live, matrix_, worker.before.rows(), nothing_.rows());
  }

  void advance(const Worker& worker, std::size_t i, std::size_t t, const T* scores, T* to) const {
    const Tag<T> d;
    const T* const before = t == 0 ? weights_.start.numbers : worker.before[i];
    const auto best = rows_.largest([&](std::size_t k) { return rows_.load(scores, k, minus_infinity<T>); });
    auto largest = hn::Set(d, std::numeric_limits<T>::lowest());
    rows_.for_vectors([&](std::size_t k) {
      const auto score = hn::Sub(rows_.load(scores, k, minus_infinity<T>), best);
      worker.has_nan[i] = worker.has_nan[i] || !hn::AllFalse(d, hn::IsNaN(score));
      const auto sum = hn::Add(score, hn::LoadU(d, before + k));
      largest = hn::Max(largest, sum);
      hn::StoreU(sum, d, to + k);
    });
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

  void trace(const Worker& worker, const Token& token, const T* best) const {
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
    const bool has_nan = worker.has_nan[token.document];
    const std::size_t tag = has_nan ? 0 : place_of_largest(best, after);
    crf_.best[row] = static_cast<std::int64_t>(tag);
    double& score = worker.scores[token.document];
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
  std::vector<Worker> workers_;
};

template <class T>
void run_crf_decode(const CrfDecode<T>& crf, std::size_t threads, const Executor& executor) {
  Arena arena;
  const CrfBlocks blocks(arena, crf.batch_sizes);
  const std::size_t parts = blocks.parts(crf.tags, threads);
  const CrfDecodePass<T> pass(arena, crf, blocks, parts);
  run_blocks(blocks, parts, executor, [&](std::size_t part, std::size_t block) { pass.run(part, block); });
}

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
