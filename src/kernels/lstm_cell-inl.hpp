// Long short-term memory. Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_LSTM_CELL_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_LSTM_CELL_INL
#undef PACKSEQ_KERNELS_LSTM_CELL_INL
#else
#define PACKSEQ_KERNELS_LSTM_CELL_INL
#endif

#include "kernels/cell-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {

/// i, f, o = sigmoid, g = tanh of their sums; c = f c_before + i g; h = o tanh(c).
struct LstmCell {
  static constexpr std::size_t gates = 4, input_gates = 4, hidden_gates = 4, rotation = 0;
  static constexpr bool has_cell_state = true, passes_gradient = false;

  template <bool keep, class T, class Access>
  static HWY_INLINE void forward(Access access, const ForwardRow<T>& row, std::size_t unit) {
    Computed<T>* const at = row.gates + unit;
    const std::size_t hidden = row.hidden;
    const auto i = sigmoid(access.load(at));
    const auto f = sigmoid(access.load(at + hidden));
    const auto g = tanh(access.load(at + 2 * hidden));
    const auto o = sigmoid(access.load(at + 3 * hidden));
    const auto c = hn::MulAdd(f, access.load(row.c_before + unit), hn::Mul(i, g));
    access.store(c, row.c + unit);
    access.store(hn::Mul(o, tanh(c)), row.h + unit);
    if constexpr (keep) {
      access.store(i, at);
      access.store(f, at + hidden);
      access.store(g, at + 2 * hidden);
      access.store(o, at + 3 * hidden);
    }
  }

  template <class T, class Access>
  static HWY_INLINE void backward(Access access, const BackwardRow<T>& row, std::size_t unit) {
    const auto one = hn::Set(Tag<T>(), Computed<T>{1});
    const Computed<T>* const at = row.gates + unit;
    Computed<T>* const d_at = row.d_gates + unit;
    const std::size_t hidden = row.hidden;
    const auto i = access.load(at);
    const auto f = access.load(at + hidden);
    const auto g = access.load(at + 2 * hidden);
    const auto o = access.load(at + 3 * hidden);
    const auto t = tanh(access.load(row.c + unit));
    const auto d_h = hn::Add(access.load(row.d_h + unit), access.load(row.d_output + unit));
    const auto d_t = hn::Mul(hn::Mul(d_h, o), hn::NegMulAdd(t, t, one));
    const auto d_c = hn::Add(access.load(row.d_c + unit), d_t);
    const auto d_i = hn::Mul(hn::Mul(d_c, g), hn::Mul(i, hn::Sub(one, i)));
    const auto d_f = hn::Mul(hn::Mul(d_c, access.load(row.c_before + unit)), hn::Mul(f, hn::Sub(one, f)));
    const auto d_g = hn::Mul(hn::Mul(d_c, i), hn::NegMulAdd(g, g, one));
    const auto d_o = hn::Mul(hn::Mul(d_h, t), hn::Mul(o, hn::Sub(one, o)));
    access.store(d_i, d_at);
    access.store(d_f, d_at + hidden);
    access.store(d_g, d_at + 2 * hidden);
    access.store(d_o, d_at + 3 * hidden);
    access.store(hn::Mul(d_c, f), row.d_c + unit);
  }
};

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
