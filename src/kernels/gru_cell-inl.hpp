// Gated recurrent unit. Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_GRU_CELL_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_GRU_CELL_INL
#undef PACKSEQ_KERNELS_GRU_CELL_INL
#else
#define PACKSEQ_KERNELS_GRU_CELL_INL
#endif

#include "kernels/cell-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {

/// r, z = sigmoid of their sums; n = tanh(n_x + r n_h), n_x and n_h the input's and the hidden state's part of its sum;
/// h = n + z (h_before - n).
///
/// The blocks of a gate row are n_x, r, z, n_h: the input's product fills the first three, the hidden state's adds to
/// the last three.
struct GruCell {
  static constexpr std::size_t gates = 4, input_gates = 3, hidden_gates = 3, rotation = 2;
  static constexpr bool has_cell_state = false, passes_gradient = true;

  template <bool keep, class T, class Access>
  static HWY_INLINE void forward(Access access, const ForwardRow<T>& row, std::size_t unit) {
    Computed<T>* const at = row.gates + unit;
    const std::size_t hidden = row.hidden;
    const auto r = sigmoid(access.load(at + hidden));
    const auto z = sigmoid(access.load(at + 2 * hidden));
    const auto n = tanh(hn::MulAdd(r, access.load(at + 3 * hidden), access.load(at)));
    const auto h = hn::MulAdd(z, hn::Sub(access.load(row.h_before + unit), n), n);
    access.store(h, row.h + unit);
    if constexpr (is_narrow<T>) access.store(h, row.wide_h + unit);
    if constexpr (keep) {
      access.store(n, at);
      access.store(r, at + hidden);
      access.store(z, at + 2 * hidden);
    }
  }

  template <class T, class Access>
  static HWY_INLINE void backward(Access access, const BackwardRow<T>& row, std::size_t unit) {
    const auto one = hn::Set(Tag<T>(), Computed<T>{1});
    const Computed<T>* const at = row.gates + unit;
    Computed<T>* const d_at = row.d_gates + unit;
    const std::size_t hidden = row.hidden;
    const auto n = access.load(at);
    const auto r = access.load(at + hidden);
    const auto z = access.load(at + 2 * hidden);
    const auto n_h = access.load(at + 3 * hidden);
    const auto d_h = hn::Add(access.load(row.d_h + unit), access.load(row.d_output + unit));
    const auto d_n = hn::Mul(hn::Mul(d_h, hn::Sub(one, z)), hn::NegMulAdd(n, n, one));
    const auto d_z = hn::Mul(hn::Mul(d_h, hn::Sub(access.load(row.h_before + unit), n)), hn::Mul(z, hn::Sub(one, z)));
    access.store(d_n, d_at);
    access.store(hn::Mul(hn::Mul(d_n, n_h), hn::Mul(r, hn::Sub(one, r))), d_at + hidden);
    access.store(d_z, d_at + 2 * hidden);
    access.store(hn::Mul(d_n, r), d_at + 3 * hidden);
    access.store(hn::Mul(d_h, z), row.d_h + unit);
  }
};

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
