// The plain recurrent cell. Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_RNN_CELL_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_RNN_CELL_INL
#undef PACKSEQ_KERNELS_RNN_CELL_INL
#else
#define PACKSEQ_KERNELS_RNN_CELL_INL
#endif

#include "kernels/cell-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {

struct Tanh {
  template <class V>
  static HWY_INLINE V of(V sum) {
    return tanh(sum);
  }
  template <class V>
  static HWY_INLINE V gradient(V h, V d_h) {
    return hn::Mul(d_h, hn::NegMulAdd(h, h, hn::Set(hn::DFromV<V>(), hn::TFromD<hn::DFromV<V>>{1})));
  }
};

struct Relu {
  template <class V>
  static HWY_INLINE V of(V sum) {
    return relu(sum);
  }
  /// Nothing where h is not above 0; LibTorch, too, passes the gradient on where h is NaN.
  template <class V>
  static HWY_INLINE V gradient(V h, V d_h) {
    const hn::DFromV<V> d;
    return hn::IfThenElse(hn::Le(h, hn::Zero(d)), hn::Zero(d), d_h);
  }
};

/// h = the nonlinearity of the sum.
template <class Nonlinearity>
struct RnnCell {
  static constexpr std::size_t gates = 1, input_gates = 1, hidden_gates = 1, rotation = 0;
  static constexpr bool has_cell_state = false, passes_gradient = false;

  template <bool, class T, class Access>
  static HWY_INLINE void forward(Access access, const ForwardRow<T>& row, std::size_t unit) {
    access.store(Nonlinearity::of(access.load(row.gates + unit)), row.h + unit);
  }

  template <class T, class Access>
  static HWY_INLINE void backward(Access access, const BackwardRow<T>& row, std::size_t unit) {
    const auto d_h = hn::Add(access.load(row.d_h + unit), access.load(row.d_output + unit));
    access.store(Nonlinearity::gradient(access.load(row.h + unit), d_h), row.d_gates + unit);
  }
};

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
