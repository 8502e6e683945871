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

void forward_float(std::span<const Forward<float>> directions, const Plan& plan, const Executor& executor) {
  run_forward(directions, kernels_of<float>(directions.front().cell), plan, executor);
}
void forward_double(std::span<const Forward<double>> directions, const Plan& plan, const Executor& executor) {
  run_forward(directions, kernels_of<double>(directions.front().cell), plan, executor);
}
std::size_t packed_size_float(const Direction<float>& direction, Role role) {
  return packed_size_of(direction, kernels_of<float>(direction.cell), role);
}
std::size_t packed_size_double(const Direction<double>& direction, Role role) {
  return packed_size_of(direction, kernels_of<double>(direction.cell), role);
}
void pack_float(const Direction<float>& direction, Role role, float* to, std::size_t threads,
                const Executor& executor) {
  pack_weight(direction, kernels_of<float>(direction.cell), role, to, threads, executor);
}
void pack_double(const Direction<double>& direction, Role role, double* to, std::size_t threads,
                 const Executor& executor) {
  pack_weight(direction, kernels_of<double>(direction.cell), role, to, threads, executor);
}
void project_float(const Forward<float>& direction, float* sums, std::size_t threads, const Executor& executor) {
  run_projection(direction, kernels_of<float>(direction.cell), sums, threads, executor);
}
void project_double(const Forward<double>& direction, double* sums, std::size_t threads, const Executor& executor) {
  run_projection(direction, kernels_of<double>(direction.cell), sums, threads, executor);
}
void backward_float(std::span<const Backward<float>> directions, std::span<const Plan> parts,
                    const Executor& executor) {
  run_backward(directions, kernels_of<float>(directions.front().cell), parts, executor);
}
void backward_double(std::span<const Backward<double>> directions, std::span<const Plan> parts,
                     const Executor& executor) {
  run_backward(directions, kernels_of<double>(directions.front().cell), parts, executor);
}

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace packseq::kernels {

HWY_EXPORT(forward_float);
HWY_EXPORT(forward_double);
HWY_EXPORT(packed_size_float);
HWY_EXPORT(packed_size_double);
HWY_EXPORT(pack_float);
HWY_EXPORT(pack_double);
HWY_EXPORT(project_float);
HWY_EXPORT(project_double);
HWY_EXPORT(backward_float);
HWY_EXPORT(backward_double);

void run(std::span<const Forward<float>> directions, const Plan& plan, const Executor& executor) {
  HWY_DYNAMIC_DISPATCH(forward_float)(directions, plan, executor);
}
void run(std::span<const Forward<double>> directions, const Plan& plan, const Executor& executor) {
  HWY_DYNAMIC_DISPATCH(forward_double)(directions, plan, executor);
}
std::size_t packed_size(const Direction<float>& direction, Role role) {
  return HWY_DYNAMIC_DISPATCH(packed_size_float)(direction, role);
}
std::size_t packed_size(const Direction<double>& direction, Role role) {
  return HWY_DYNAMIC_DISPATCH(packed_size_double)(direction, role);
}
void pack(const Direction<float>& direction, Role role, float* to, std::size_t threads, const Executor& executor) {
  HWY_DYNAMIC_DISPATCH(pack_float)(direction, role, to, threads, executor);
}
void pack(const Direction<double>& direction, Role role, double* to, std::size_t threads, const Executor& executor) {
  HWY_DYNAMIC_DISPATCH(pack_double)(direction, role, to, threads, executor);
}
void project(const Forward<float>& direction, float* sums, std::size_t threads, const Executor& executor) {
  HWY_DYNAMIC_DISPATCH(project_float)(direction, sums, threads, executor);
}
void project(const Forward<double>& direction, double* sums, std::size_t threads, const Executor& executor) {
  HWY_DYNAMIC_DISPATCH(project_double)(direction, sums, threads, executor);
}
void run(std::span<const Backward<float>> directions, std::span<const Plan> parts, const Executor& executor) {
  HWY_DYNAMIC_DISPATCH(backward_float)(directions, parts, executor);
}
void run(std::span<const Backward<double>> directions, std::span<const Plan> parts, const Executor& executor) {
  HWY_DYNAMIC_DISPATCH(backward_double)(directions, parts, executor);
}

}  // namespace packseq::kernels
#endif
