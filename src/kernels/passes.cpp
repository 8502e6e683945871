#include "kernels/passes.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/passes.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After foreach_target.h, so that they are read once for each target.
#include "kernels/backward-inl.hpp"
#include "kernels/forward-inl.hpp"
#include "kernels/gru_cell-inl.hpp"
#include "kernels/lstm_cell-inl.hpp"
#include "kernels/pass_table.hpp"
#include "kernels/rnn_cell-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {

template <class T>
const CellKernels<T>& kernels_of(Cell cell) {
  switch (cell) {
    case Cell::lstm:
      return cell_kernels<LstmCell, T>;
    case Cell::gru:
      return cell_kernels<GruCell, T>;
    case Cell::rnn_tanh:
      return cell_kernels<RnnCell<Tanh>, T>;
    case Cell::rnn_relu:
      return cell_kernels<RnnCell<Relu>, T>;
  }
  HWY_ABORT("no such cell");
}

template <class T>
std::size_t packed_size_of_weight(const Direction<T>& direction, Role role) {
  return packed_size_of(direction, kernels_of<T>(direction.cell), role);
}
template <class T>
void pack(const Direction<T>& direction, Role role, Computed<T>* to, std::size_t threads, const Executor& executor) {
  pack_weight(direction, kernels_of<T>(direction.cell), role, to, threads, executor);
}
template <class T>
void project(const Forward<T>& direction, Computed<T>* sums, std::size_t threads, const Executor& executor) {
  run_projection(direction, kernels_of<T>(direction.cell), sums, threads, executor);
}
template <class T>
void forward(std::span<const Forward<T>> directions, const Plan& plan, const Executor& executor) {
  run_forward(directions, kernels_of<T>(directions.front().cell), plan, executor);
}
template <class T>
void backward(std::span<const Backward<T>> directions, std::span<const Plan> parts, const Executor& executor) {
  run_backward(directions, kernels_of<T>(directions.front().cell), parts, executor);
}

template <class T>
constexpr PassTable<T> pass_table = {packed_size_of_weight<T>, pack<T>, project<T>, forward<T>, backward<T>};

const PassTable<float>& passes_of_float() { return pass_table<float>; }
const PassTable<double>& passes_of_double() { return pass_table<double>; }
const PassTable<BFloat16>& passes_of_bfloat16() { return pass_table<BFloat16>; }

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace packseq::kernels {

HWY_EXPORT(passes_of_float);
HWY_EXPORT(passes_of_double);
HWY_EXPORT(passes_of_bfloat16);

namespace {

/// For this CPU.
template <class T>
const PassTable<T>& passes() {
  if constexpr (is_narrow<T>) {
    return HWY_DYNAMIC_DISPATCH(passes_of_bfloat16)();
  } else if constexpr (std::is_same_v<T, float>) {
    return HWY_DYNAMIC_DISPATCH(passes_of_float)();
  } else {
    return HWY_DYNAMIC_DISPATCH(passes_of_double)();
  }
}

}  // namespace

template <class T>
std::size_t packed_size(const Direction<T>& direction, Role role) {
  return passes<T>().packed_size(direction, role);
}

template <class T>
void pack(const Direction<T>& direction, Role role, Computed<T>* to, std::size_t threads, const Executor& executor) {
  passes<T>().pack(direction, role, to, threads, executor);
}

template <class T>
void project(const Forward<T>& direction, Computed<T>* sums, std::size_t threads, const Executor& executor) {
  passes<T>().project(direction, sums, threads, executor);
}

template <class T>
void run(std::span<const Forward<T>> directions, const Plan& plan, const Executor& executor) {
  passes<T>().forward(directions, plan, executor);
}

template <class T>
void run(std::span<const Backward<T>> directions, std::span<const Plan> parts, const Executor& executor) {
  passes<T>().backward(directions, parts, executor);
}

template std::size_t packed_size(const Direction<float>&, Role);
template void pack(const Direction<float>&, Role, Computed<float>*, std::size_t, const Executor&);
template void project(const Forward<float>&, Computed<float>*, std::size_t, const Executor&);
template void run(std::span<const Forward<float>>, const Plan&, const Executor&);
template void run(std::span<const Backward<float>>, std::span<const Plan>, const Executor&);

template std::size_t packed_size(const Direction<double>&, Role);
template void pack(const Direction<double>&, Role, Computed<double>*, std::size_t, const Executor&);
template void project(const Forward<double>&, Computed<double>*, std::size_t, const Executor&);
template void run(std::span<const Forward<double>>, const Plan&, const Executor&);
template void run(std::span<const Backward<double>>, std::span<const Plan>, const Executor&);

template std::size_t packed_size(const Direction<BFloat16>&, Role);
template void pack(const Direction<BFloat16>&, Role, Computed<BFloat16>*, std::size_t, const Executor&);
template void project(const Forward<BFloat16>&, Computed<BFloat16>*, std::size_t, const Executor&);
template void run(std::span<const Forward<BFloat16>>, const Plan&, const Executor&);
template void run(std::span<const Backward<BFloat16>>, std::span<const Plan>, const Executor&);

}  // namespace packseq::kernels
#endif
