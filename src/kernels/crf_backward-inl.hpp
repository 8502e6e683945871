// The backward pass of a CRF: gradients of log-likelihoods. Compiled once for each CPU target.
//
// The gradient of the normaliser's logarithm by a token's scores are the probabilities of its tags. They flow back as
// the sums flowed forward: that of tag i gets from tag j of the next token exp(log_i + transition_ij - log sum_j).

#if defined(PACKSEQ_KERNELS_CRF_BACKWARD_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_CRF_BACKWARD_INL
#undef PACKSEQ_KERNELS_CRF_BACKWARD_INL
#else
#define PACKSEQ_KERNELS_CRF_BACKWARD_INL
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/crf_forward-inl.hpp"
#include "kernels/crf_gradients-inl.hpp"
#include "kernels/crf_pass-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
class CrfBackwardPass {
 public:
  CrfBackwardPass(Arena& arena, const CrfBackward<T>& crf, const CrfBlocks& blocks, std::size_t /*parts*/)
      : crf_(crf),
        blocks_(blocks),
        weights_(arena, crf),
        rows_(weights_.rows),
        exponentials_(weights_.exponentials(arena, weights_.transitions.numbers)),
        turned_(in_panels(arena, weights_.exponentials(arena, weights_.turned), crf.tags, rows_.width)),
        zeros_(arena, blocks.per_block(), rows_.width) {
    for (std::size_t i = 0; i < blocks.count(); ++i) {
      states_.emplace_back(arena, blocks.per_block(), rows_.width);
      if (crf.d_transitions != nullptr) gradients_.emplace_back(arena, rows_);
    }
  }

  void run(std::size_t /*part*/, CrfShare share) {
    step_backward(blocks_, share, [&](std::size_t block, std::size_t t) {
      step(states_[block], gradients_.empty() ? nullptr : &gradients_[block], block, t);
    });
  }

  /// The parameters' gradients, of all blocks in their order.
  void finish() const {
    if (gradients_.empty()) return;
    for (std::size_t i = 1; i < gradients_.size(); ++i) gradients_[0].add(gradients_[i]);
    gradients_[0].write(exponentials_, crf_.d_start, crf_.d_end, crf_.d_transitions);
  }

 private:
  struct alignas(64) State {  // each in cache lines of its own
    State(Arena& arena, std::size_t documents, std::size_t width)
        : probabilities(arena, documents, width),
          logs(arena, documents, width),
          exponentials(arena, documents, width),
          shares(arena, documents, width),
          weighted(arena, documents, width),
          sums(arena, documents, width),
          exact(arena, documents, width) {}
    RowList<T> probabilities;  // of a token's tags
    RowList<T> logs;           // of the state of the token before,
    RowList<T> exponentials;   // and these
    RowList<T> shares;         // the probabilities, of each sum the share that is that of an exponential of 1,
    RowList<T> weighted;       // and that times the gradient
    RowList<T> sums;
    RowList<T> exact;       // what of small sums comes to the token before
    std::size_t place = 0;  // of the step's first token
  };
  struct Token {
    std::size_t document;  // in its block
    std::size_t step;
    std::size_t rank;
    std::size_t row;
    std::size_t place;
    std::size_t place_before;  // of the document's token before
  };

  void step(State& state, const CrfGradients<T>* gradients, std::size_t block, std::size_t t) const {
    const Range ranks = blocks_.ranks(block);
    if (t + 1 == blocks_.length(ranks)) {
      state.place = blocks_.places(block).end;
      if (gradients != nullptr) gradients->clear();
    }
    if (t > steps_ahead) prefetch(ranks, t - steps_ahead - 1);
    const std::size_t live = blocks_.live(ranks, t);
    const std::size_t going_on = blocks_.live(ranks, t + 1);
    state.place -= live;
    const std::size_t before = t > 0 ? state.place - blocks_.live(ranks, t - 1) : 0;
    for (std::size_t i = 0; i < live; ++i) {
      const Token token = {i, t, ranks.begin + i, blocks_.row(t, ranks.begin + i), state.place + i, before + i};
      if (i >= going_on) begin(state, token, gradients);
      add_gradients(state, token, gradients);
      if (t > 0) prepare(state, token, gradients);
    }
    if (t == 0) return;
    if (gradients != nullptr) gradients->subtract_products(state.exponentials.rows(), state.weighted.rows(), live);
    multiply_rows<MultiplyAdd>(state.shares.rows(), live, turned_, state.sums.rows(), zeros_.rows());
    for (std::size_t i = 0; i < live; ++i) step_back(state, i);
  }

  void prefetch(const Range& ranks, std::size_t t) const {
    blocks_.prefetch(crf_.scores, rows_.count, ranks, t);
    if (crf_.labels != nullptr) blocks_.prefetch(crf_.labels, 1, ranks, t);
    if (crf_.d_scores != nullptr) blocks_.prefetch(crf_.d_scores, rows_.count, ranks, t);
  }

  T gradient_of(const Token& token) const { return crf_.d_log_likelihood[crf_.order[token.rank]]; }
  const T* sums_of(std::size_t place) const { return crf_.sums + place * rows_.count; }

  void make_state_of(const State& state, std::size_t document, std::size_t row, std::size_t place) const {
    make_state<T>(
        rows_, crf_.scores + row * rows_.count, [&](std::size_t k) { return rows_.load(sums_of(place), k, T{0}); },
        state.logs[document], state.exponentials[document]);
  }

  /// The probabilities of a document's last token.
  void begin(const State& state, const Token& token, const CrfGradients<T>* gradients) const {
    const Tag<T> d;
    make_state_of(state, token.document, token.row, token.place);
    T* const to = state.probabilities[token.document];
    const T* const logs = state.logs[token.document];
    const auto all = kernels::HWY_NAMESPACE::exponentials<T>(
        rows_, [&](std::size_t k) { return hn::Add(hn::LoadU(d, logs + k), hn::LoadU(d, weights_.end.numbers + k)); },
        [&](Vector<T> e, std::size_t k) { hn::StoreU(e, d, to + k); });
    divide(to, all.sum);
    if (gradients != nullptr) gradients->add(gradients->end(), to, gradient_of(token), label_of(token.row));
  }

  /// Where there are no labels, a number beyond all tags.
  std::size_t label_of(std::size_t row) const {
    return crf_.labels != nullptr ? static_cast<std::size_t>(crf_.labels[row]) : rows_.width;
  }

  /// A token's gradients, now that its probabilities are known.
  void add_gradients(const State& state, const Token& token, const CrfGradients<T>* gradients) const {
    const T* const probabilities = state.probabilities[token.document];
    const T gradient = gradient_of(token);
    const std::size_t label = label_of(token.row);
    if (crf_.d_scores != nullptr) {
      const Tag<T> d;
      T* const to = crf_.d_scores + token.row * rows_.count;
      // Read again, what is stored with a mask would be waited for until it is in the cache.
      rows_.for_vectors([&](std::size_t k) {
        const auto is_label = hn::Eq(hn::Iota(d, static_cast<T>(k)), hn::Set(d, static_cast<T>(label)));
        const auto of_label = hn::IfThenElseZero(is_label, hn::Set(d, gradient));
        rows_.store(hn::NegMulAdd(hn::Set(d, gradient), hn::LoadU(d, probabilities + k), of_label), to, k);
      });
    }
    if (gradients == nullptr) return;
    if (token.step == 0) return gradients->add(gradients->start(), probabilities, gradient, label);
    if (label < rows_.count) {
      gradients->transition(label_of(blocks_.row(token.step - 1, token.rank)), label) += gradient;
    }
  }

  /// What a token's probabilities give to the token before it.
  void prepare(const State& state, const Token& token, const CrfGradients<T>* gradients) const {
    const Tag<T> d;
    const T* const probabilities = state.probabilities[token.document];
    const T* const sums = sums_of(token.place);
    make_state_of(state, token.document, blocks_.row(token.step - 1, token.rank), token.place_before);
    const auto gradient = hn::Set(d, gradient_of(token));
    bool has_small = false;
    rows_.for_vectors([&](std::size_t k) {
      const auto log = rows_.load(sums, k, T{0});
      const auto is_small = hn::Lt(log, hn::Set(d, smallest_log_sum<T>));
      has_small = has_small || !hn::AllFalse(d, is_small);
      const auto share = hn::Mul(hn::LoadU(d, probabilities + k), exp_or_zero(hn::Neg(log)));
      const auto of_others = hn::IfThenZeroElse(is_small, share);
      hn::StoreU(of_others, d, state.shares[token.document] + k);
      hn::StoreU(hn::Mul(gradient, of_others), d, state.weighted[token.document] + k);
    });
    std::fill_n(state.exact[token.document], rows_.width, T{0});
    if (has_small) add_exact(state, token, gradients);
  }

  /// The same of tags whose sums are small, by logarithms.
  void add_exact(const State& state, const Token& token, const CrfGradients<T>* gradients) const {
    const Tag<T> d;
    const T* const logs = state.logs[token.document];
    T* const exact = state.exact[token.document];
    for (std::size_t j = 0; j < rows_.count; ++j) {
      const T sum = sums_of(token.place)[j];
      const T probability = state.probabilities[token.document][j];
      if (!(sum < smallest_log_sum<T>) || probability == T{0}) continue;
      const T* const to_tag = weights_.turned + j * rows_.width;
      for (std::size_t k = 0; k < rows_.width; k += hn::Lanes(d)) {
        const auto log = hn::Sub(hn::Add(hn::LoadU(d, logs + k), hn::LoadU(d, to_tag + k)), hn::Set(d, sum));
        const auto share = hn::Mul(hn::Set(d, probability), exp_or_zero(log));
        hn::StoreU(hn::Add(hn::LoadU(d, exact + k), share), d, exact + k);
        if (gradients != nullptr) gradients->subtract(k, j, share, gradient_of(token));
      }
    }
  }

  /// The probabilities of the token before. Their sum is 1 but for rounding, which would grow from token to token.
  void step_back(const State& state, std::size_t i) const {
    const Tag<T> d;
    T* const to = state.probabilities[i];
    auto sum = hn::Zero(d);
    rows_.for_vectors([&](std::size_t k) {
      const auto product = hn::MulAdd(hn::LoadU(d, state.exponentials[i] + k), hn::LoadU(d, state.sums[i] + k),
                                      hn::LoadU(d, state.exact[i] + k));
      sum = hn::Add(sum, product);
      hn::StoreU(product, d, to + k);
    });
    divide(to, hn::SumOfLanes(d, sum));
  }

  void divide(T* numbers, Vector<T> sum) const {
    const Tag<T> d;
    const auto factor = hn::Div(hn::Set(d, T{1}), sum);
    rows_.for_vectors([&](std::size_t k) { hn::StoreU(hn::Mul(hn::LoadU(d, numbers + k), factor), d, numbers + k); });
  }

  CrfBackward<T> crf_;
  const CrfBlocks& blocks_;
  CrfWeights<T> weights_;
  RowWidth<T> rows_;
  T* exponentials_;
  PackedMatrix<T> turned_;
  RepeatedRow<T> zeros_;
  std::vector<State> states_;               // of each block
  std::vector<CrfGradients<T>> gradients_;  // likewise
};

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
