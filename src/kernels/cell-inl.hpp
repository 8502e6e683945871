// What all kinds of cells have in common. Compiled once for each CPU target.
//
// A cell is the arithmetic between the matrix products of a step. Its file defines a struct with the constants of
// `CellKernels` and the functions forward(access, row, unit) and backward(access, row, unit), for a vector of hidden
// units; `forward` may have a template parameter, whether to leave in the gates what `backward` reads.

#if defined(PACKSEQ_KERNELS_CELL_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_CELL_INL
#undef PACKSEQ_KERNELS_CELL_INL
#else
#define PACKSEQ_KERNELS_CELL_INL
#endif

#include <cstddef>

#include "hwy/highway.h"
#include "kernels/numbers.hpp"
#include "kernels/plan.hpp"
#include "kernels/vector_math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {

/// A token on its way forward.
template <class T>
struct ForwardRow {
  std::size_t hidden;           ///< H
  Computed<T>* gates;           ///< [gates * H]: sums on the way in, what backward reads on the way out.
  const Computed<T>* h_before;  ///< [H] of a cell that reads it.
  const Computed<T>* c_before;  ///< [H]
  Computed<T>* c;               ///< [H]; may be `c_before`.
  T* h;                         ///< [H]
  Computed<T>* wide_h;          ///< The same for the next token's `h_before`, where that is no T; may be its own.
};

/// A token on its way back.
template <class T>
struct BackwardRow {
  std::size_t hidden;
  const Computed<T>* gates;  ///< As `forward` left them.
  const T* h_before;
  const T* h;
  const Computed<T>* c_before;
  const Computed<T>* c;
  const T* d_output;     ///< The gradient of h as the token's output,
  Computed<T>* d_h;      ///< and as the next token's h_before; on the way out what passes by the gates to h_before.
  Computed<T>* d_c;      ///< The gradient of c; on the way out of c_before.
  Computed<T>* d_gates;  ///< [gates * H]: the gradient of the sums.
};

/// A kind of cell, as the passes see it.
template <class T>
struct CellKernels {
  std::size_t gates;         ///< Blocks of hidden size in a gate row.
  std::size_t input_gates;   ///< Blocks that the input's product fills, from the first on,
  std::size_t hidden_gates;  ///< and blocks that the hidden state's product adds to, up to the last.
  std::size_t rotation;      ///< Block b of the input's is block (b + rotation) % input_gates of LibTorch's weights.
  bool has_cell_state;       ///< As an LSTM.
  bool passes_gradient;      ///< From h to h_before by another way than the gates: it reads h_before.
  void (*forward)(const ForwardRow<T>& row, const Range& units);
  void (*forward_keeping)(const ForwardRow<T>& row, const Range& units);  ///< For a backward pass.
  void (*backward)(const BackwardRow<T>& row, const Range& units);
};

template <class Cell, bool keep, class T>
void forward_units(const ForwardRow<T>& row, const Range& units) {
  for_units<T>(units, [&](auto access, std::size_t unit) { Cell::template forward<keep>(access, row, unit); });
}

template <class Cell, class T>
void backward_units(const BackwardRow<T>& row, const Range& units) {
  for_units<T>(units, [&](auto access, std::size_t unit) { Cell::backward(access, row, unit); });
}

template <class Cell, class T>
constexpr CellKernels<T> cell_kernels = {Cell::gates,
                                         Cell::input_gates,
                                         Cell::hidden_gates,
                                         Cell::rotation,
                                         Cell::has_cell_state,
                                         Cell::passes_gradient,
                                         forward_units<Cell, false, T>,
                                         forward_units<Cell, true, T>,
                                         backward_units<Cell, T>};

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
