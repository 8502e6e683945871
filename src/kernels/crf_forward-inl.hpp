// The forward pass of a CRF: log-likelihoods. Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_CRF_FORWARD_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_CRF_FORWARD_INL
#undef PACKSEQ_KERNELS_CRF_FORWARD_INL
#else
#define PACKSEQ_KERNELS_CRF_FORWARD_INL
#endif

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "kernels/crf_pass-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// The state of a token: of the sums over all sequences up to it that end in each tag the logarithms, from the largest
/// on, and their exponentials. They are made of its `scores` and of `sums(first)`, the logarithms of what comes from
/// before; the result is what the largest is above these.
template <class T, class Sums>
HWY_INLINE double make_state(const RowWidth<T>& rows, const T* scores, Sums sums, T* logs, T* exponentials) {
  const Tag<T> d;
  // From their largest on, scores that are large and close lose no digits in the sum.
  const auto best = rows.largest([&](std::size_t i) { return rows.load(scores, i, minus_infinity<T>); });
  rows.for_vectors([&](std::size_t i) {
    hn::StoreU(hn::Add(hn::Sub(rows.load(scores, i, minus_infinity<T>), best), sums(i)), d, logs + i);
  });
  const auto largest = rows.largest([&](std::size_t i) { return hn::LoadU(d, logs + i); });
  rows.for_vectors([&](std::size_t i) {
    const auto log = hn::Sub(hn::LoadU(d, logs + i), largest);
    hn::StoreU(log, d, logs + i);
    hn::StoreU(exp_or_zero(log), d, exponentials + i);
  });
  return number<T>(best) + number<T>(largest);
}

template <class T>
class CrfForwardPass {
 public:
  CrfForwardPass(Arena& arena, const CrfForward<T>& crf, const CrfBlocks& blocks, std::size_t /*parts*/)
      : crf_(crf),
        blocks_(blocks),
        weights_(arena, crf),
        rows_(weights_.rows),
        matrix_(in_panels(arena, weights_.exponentials(arena, weights_.transitions.numbers), crf.tags, rows_.width)),
        zeros_(arena, blocks.per_block(), rows_.width) {
    for (std::size_t i = 0; i < blocks.count(); ++i) states_.emplace_back(arena, blocks.per_block(), rows_.width);
  }

  void run(std::size_t /*part*/, CrfShare share) {
    step_forward(blocks_, share, [&](std::size_t block, std::size_t t) { step(states_[block], block, t); });
  }

 private:
  struct alignas(64) State {  // each in cache lines of its own
    State(Arena& arena, std::size_t documents, std::size_t width)
        : logs(arena, documents, width),
          exponentials(arena, documents, width),
          sums(arena, documents, width),
          log_sums(arena.take<T>(width)),
          above(arena.take<double>(documents)),
          of_labels(arena.take<double>(documents)) {}
    RowList<T> logs;          // of the last token's state
    RowList<T> exponentials;  // likewise
    RowList<T> sums;          // what of that comes to each tag of the next token
    T* log_sums;
    double* above;          // what the logarithms are counted from
    double* of_labels;      // their score
    std::size_t place = 0;  // of the next token
  };

  void step(State& state, std::size_t block, std::size_t t) const {
    const Range ranks = blocks_.ranks(block);
    if (t == 0) state.place = blocks_.places(block).begin;
    blocks_.prefetch(crf_.scores, rows_.count, ranks, t + steps_ahead);
    if (crf_.labels != nullptr) blocks_.prefetch(crf_.labels, 1, ranks, t + steps_ahead);
    const std::size_t live = blocks_.live(ranks, t);
    const std::size_t going_on = blocks_.live(ranks, t + 1);
    if (t > 0) multiply_rows<MultiplyAdd>(state.exponentials.rows(), live, matrix_, state.sums.rows(), zeros_.rows());
    for (std::size_t i = 0; i < live; ++i) {
      const std::size_t row = blocks_.row(t, ranks.begin + i);
      advance(state, i, t, row, state.place++);
      if (crf_.labels != nullptr) add_label(state, ranks.begin + i, i, t, row);
      if (i >= going_on) finish(state, ranks.begin + i, i, row);
    }
  }

  /// From a document's state to that of its next token.
  void advance(const State& state, std::size_t i, std::size_t t, std::size_t row, std::size_t place) const {
    const Tag<T> d;
    if (t == 0) {
      std::copy_n(weights_.start.numbers, rows_.width, state.log_sums);
      state.above[i] = static_cast<double>(weights_.start.largest);
    } else {
      take_logs(state.sums[i], state.logs[i], state.log_sums);
      state.above[i] += static_cast<double>(weights_.transitions.largest);
    }
    if (crf_.sums != nullptr) std::copy_n(state.log_sums, rows_.count, crf_.sums + place * rows_.count);
    state.above[i] += make_state<T>(
        rows_, crf_.scores + row * rows_.count, [&](std::size_t k) { return hn::LoadU(d, state.log_sums + k); },
        state.logs[i], state.exponentials[i]);
  }

  /// The logarithms of sums over states with these logarithms.
  void take_logs(const T* sums, const T* logs, T* to) const {
    const Tag<T> d;
    auto least = hn::Set(d, std::numeric_limits<T>::max());
    rows_.for_vectors([&](std::size_t k) {
      const auto sum = hn::LoadU(d, sums + k);
      least = hn::Min(least, sum);
      hn::StoreU(log(sum), d, to + k);
    });
    if (!(hn::GetLane(hn::MinOfLanes(d, least)) < smallest_sum<T>)) return;
    for (std::size_t j = 0; j < rows_.count; ++j) {
      if (!(sums[j] < smallest_sum<T>)) continue;
      const T* const to_tag = weights_.turned + j * rows_.width;
      const auto all = exponentials<T>(
          rows_, [&](std::size_t k) { return hn::Add(hn::LoadU(d, logs + k), hn::LoadU(d, to_tag + k)); },
          [](Vector<T>, std::size_t) {});
      to[j] = hn::GetLane(all.largest) + std::log(hn::GetLane(all.sum));
    }
  }

  void add_label(const State& state, std::size_t rank, std::size_t i, std::size_t t, std::size_t row) const {
    const auto label = static_cast<std::size_t>(crf_.labels[row]);
    const double score = static_cast<double>(crf_.scores[row * rows_.count + label]);
    if (t == 0) {
      state.of_labels[i] = score + static_cast<double>(crf_.start[label]);
      return;
    }
    const auto before = static_cast<std::size_t>(crf_.labels[blocks_.row(t - 1, rank)]);
    state.of_labels[i] += score + static_cast<double>(crf_.transitions[before * rows_.count + label]);
  }

  void finish(const State& state, std::size_t rank, std::size_t i, std::size_t row) const {
    const Tag<T> d;
    const auto all = exponentials<T>(
        rows_,
        [&](std::size_t k) { return hn::Add(hn::LoadU(d, state.logs[i] + k), hn::LoadU(d, weights_.end.numbers + k)); },
        [](Vector<T>, std::size_t) {});
    const double normaliser = state.above[i] + static_cast<double>(weights_.end.largest) + number<T>(all.largest) +
                              std::log(number<T>(all.sum));
    double of_labels = 0;
    if (crf_.labels != nullptr) {
      of_labels = state.of_labels[i] + static_cast<double>(crf_.end[static_cast<std::size_t>(crf_.labels[row])]);
    }
    crf_.log_likelihood[crf_.order[rank]] = static_cast<T>(of_labels - normaliser);
  }

  CrfForward<T> crf_;
  const CrfBlocks& blocks_;
  CrfWeights<T> weights_;
  RowWidth<T> rows_;
  PackedMatrix<T> matrix_;
  RepeatedRow<T> zeros_;
  std::vector<State> states_;  // of each block
};

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
