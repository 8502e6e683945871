// What the forward and the backward pass of a layer have in common. Compiled once for each CPU target.

#if defined(PACKSEQ_ENGINE_LAYER_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_ENGINE_LAYER_INL
#undef PACKSEQ_ENGINE_LAYER_INL
#else
#define PACKSEQ_ENGINE_LAYER_INL
#endif

#include <algorithm>
#include <cstddef>
#include <vector>

#include "engine/cell-inl.hpp"
#include "engine/executor.hpp"
#include "engine/kernels.hpp"
#include "engine/matmul-inl.hpp"
#include "engine/pack_weights-inl.hpp"
#include "engine/team.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::engine::HWY_NAMESPACE {

/// A row of zeros that a product can start from.
template <class T>
Buffer<T> make_zeros(std::size_t size) {
  auto zeros = make_buffer<T>(size + max_panel_width<T>);
  std::fill_n(zeros.get(), size + max_panel_width<T>, T{0});
  return zeros;
}

/// Who stands where in a direction of a layer.
template <class T>
class Rows {
 public:
  Rows(const Direction<T>& direction, const Plan& plan) : direction_(direction), plan_(plan) {}

  std::size_t row(std::size_t step, std::size_t rank) const { return plan_.offsets[step] + rank; }
  T* output(std::size_t row) const { return direction_.output + row * direction_.output_stride; }

  /// Whether the network has read another token of this sequence before that of this step; its row then.
  bool has_before(std::size_t step, std::size_t rank) const {
    if (direction_.reverse) return step + 1 < plan_.steps() && rank < plan_.batch_sizes[step + 1];
    return step > 0;
  }
  std::size_t row_before(std::size_t step, std::size_t rank) const {
    return row(direction_.reverse ? step + 1 : step - 1, rank);
  }

  const T* h_before(std::size_t step, std::size_t rank) const {
    return has_before(step, rank) ? output(row_before(step, rank)) : direction_.h_0 + rank * direction_.output_size;
  }
  /// Where the cell states of all rows are kept.
  const T* c_before(std::size_t step, std::size_t rank) const {
    return has_before(step, rank) ? direction_.cells + row_before(step, rank) * direction_.hidden_size
                                  : direction_.c_0 + rank * direction_.hidden_size;
  }

 private:
  const Direction<T>& direction_;
  const Plan& plan_;
};

/// Runs passes over the plan: each has `run(worker, share, steps)`, for some sequences and some steps, and
/// `first_step_first`, the order in which it takes the steps.
template <class Pass>
void run_passes(std::vector<Pass>& passes, const Plan& plan, const Executor& executor) {
  const Range dealt = {0, plan.shared_from};
  const Range shared = {plan.shared_from, plan.steps()};
  const auto run_dealt = [&](Pass* first, std::size_t count) {
    const std::size_t shares = plan.shares.size();
    executor(count * shares, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) first[i / shares].run(Worker(), plan.shares[i % shares], dealt);
    });
  };
  if (shared.size() == 0) return run_dealt(passes.data(), passes.size());
  const auto run_shared = [&](Pass& pass) {
    Barrier barrier(plan.team);
    pass.prepare_shared(plan.batch_sizes[shared.begin]);
    executor(plan.team, [&](std::size_t begin, std::size_t end) {
      pass.run(Worker({begin, end}, plan.team, barrier), {0, plan.batch_sizes[shared.begin]}, shared);
    });
  };
  for (Pass& pass : passes) {
    if (!pass.first_step_first()) run_shared(pass);
    if (dealt.size() > 0) run_dealt(&pass, 1);
    if (pass.first_step_first()) run_shared(pass);
  }
}

}  // namespace packseq::engine::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
