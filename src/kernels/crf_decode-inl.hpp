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
        nothing_(arena, blocks.per_block(), rows_.width),
        best_(arena.take<T>(blocks.rows() * rows_.width)) {
    std::fill_n(nothing_.row(), rows_.width, minus_infinity<T>);
    for (std::size_t i = 0; i < parts; ++i) workers_.emplace_back(arena, blocks.per_block(), rows_.width);
  }

  void run(std::size_t place, std::size_t block) const {
    const Worker& worker = workers_[place];
    const Range ranks = blocks_.ranks(block);
    std::fill_n(worker.has_nan, ranks.size(), has_nan_);
    const std::size_t length = blocks_.length(ranks);
    for (std::size_t t = 0; t < length; ++t) {
      const std::size_t live = blocks_.live(ranks, t);
      if (t > 0) find_best_before(worker, ranks, t, live);
      for (std::size_t i = 0; i < live; ++i) advance(worker, i, t, blocks_.row(t, ranks.begin + i));
    }
    for (std::size_t t = length; t-- > 0;) {
      const std::size_t going_on = blocks_.live(ranks, t + 1);
      for (std::size_t i = 0; i < blocks_.live(ranks, t); ++i) trace(worker, ranks.begin + i, i, t, i >= going_on);
    }
  }

 private:
  struct Worker {
    Worker(Arena& arena, std::size_t documents, std::size_t width)
        : before(arena, documents, width),
          rows(arena.take<const T*>(documents)),
          has_nan(arena.take<bool>(documents)),
          scores(arena.take<double>(documents)) {}
    RowList<T> before;  // the best score that comes to each tag from the token before
    const T** rows;
    bool* has_nan;
    double* scores;  // of what is traced
  };

  /// The best score of all sequences up to a token that end in each tag, from the best one on.
  T* best_of(std::size_t row) const { return best_ + row * rows_.width; }

  void find_best_before(const Worker& worker, const Range& ranks, std::size_t t, std::size_t live) const {
    for (std::size_t i = 0; i < live; ++i) worker.rows[i] = best_of(blocks_.row(t - 1, ranks.begin + i));
    multiply_rows<MaxPlus>(worker.rows, live, matrix_, worker.before.rows(), nothing_.rows());
  }

  void advance(const Worker& worker, std::size_t i, std::size_t t, std::size_t row) const {
    const Tag<T> d;
    const T* const before = t == 0 ? weights_.start.numbers : worker.before[i];
    const T* const scores = crf_.scores + row * rows_.count;
    T* const to = best_of(row);
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

  void trace(const Worker& worker, std::size_t rank, std::size_t i, std::size_t t, bool is_last) const {
    const std::size_t row = blocks_.row(t, rank);
    const T* after = weights_.end.numbers;
    const T* score_of_after = crf_.end;
    std::size_t stride = 1;
    if (!is_last) {
      const auto next = static_cast<std::size_t>(crf_.best[blocks_.row(t + 1, rank)]);
      after = weights_.turned + next * rows_.width;
      score_of_after = crf_.transitions + next;
      stride = rows_.count;
    }
    const std::size_t tag = worker.has_nan[i] ? 0 : place_of_largest(best_of(row), after);
    crf_.best[row] = static_cast<std::int64_t>(tag);
    if (is_last) worker.scores[i] = worker.has_nan[i] ? std::numeric_limits<double>::quiet_NaN() : 0;
    worker.scores[i] += static_cast<double>(crf_.scores[row * rows_.count + tag]);
    worker.scores[i] += static_cast<double>(score_of_after[tag * stride]);
    if (t > 0) return;
    worker.scores[i] += static_cast<double>(crf_.start[tag]);
    crf_.best_scores[crf_.order[rank]] = static_cast<T>(worker.scores[i]);
  }

  CrfDecode<T> crf_;
  const CrfBlocks& blocks_;
  CrfWeights<T> weights_;
  RowWidth<T> rows_;
  bool has_nan_;
  PackedMatrix<T> matrix_;
  RepeatedRow<T> nothing_;
  T* best_;
  std::vector<Worker> workers_;
};

template <class T>
void run_crf_decode(const CrfDecode<T>& crf, std::size_t threads, const Executor& executor) {
  Arena arena;
  const CrfBlocks blocks(arena, crf.batch_sizes);
  const std::size_t parts = blocks.parts(crf.tags, threads);
  const CrfDecodePass<T> pass(arena, crf, blocks, parts);
  run_blocks(blocks, parts, executor, [&](std::size_t place, std::size_t block) { pass.run(place, block); });
}

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
