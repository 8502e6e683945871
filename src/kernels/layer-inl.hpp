// What the forward and the backward pass of a layer have in common. Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_LAYER_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_LAYER_INL
#undef PACKSEQ_KERNELS_LAYER_INL
#else
#define PACKSEQ_KERNELS_LAYER_INL
#endif

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "kernels/cell-inl.hpp"
#include "kernels/executor.hpp"
#include "kernels/matmul-inl.hpp"
#include "kernels/packing-inl.hpp"
#include "kernels/passes.hpp"
#include "kernels/team.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {

template <class T>
T* take_zeros(Arena& arena, std::size_t size) {
  T* const zeros = arena.take<T>(size);
  std::fill_n(zeros, size, T{});
  return zeros;
}

/// One row in the place of many: what every row of a product starts from. Zeros at first.
template <class T>
class RepeatedRow {
 public:
  RepeatedRow(Arena& arena, std::size_t count, std::size_t size)
      : row_(take_zeros<T>(arena, size)), rows_(arena.take<const T*>(count)) {
    std::fill_n(rows_, count, row_);
  }
  T* row() const { return row_; }
  const T* const* rows() const { return rows_; }

 private:
  T* row_;
  const T** rows_;
};

/// Who stands where in a direction of a layer.
template <class T>
class Rows {
 public:
  /// `c_0` is that of the direction, as it is computed with.
  Rows(const Direction<T>& direction, const Computed<T>* c_0, const Plan& plan)
      : direction_(direction), c_0_(c_0), plan_(plan) {}

  T* output(std::size_t row) const { return direction_.output + row * direction_.output_stride; }
  /// Where the cell states of all rows are kept.
  Computed<T>* cells(std::size_t row) const { return direction_.cells + row * direction_.cells_stride; }

  /// Whether the network has read another token of this row's sequence before that of this step; its row then.
  bool has_before(std::size_t step, std::size_t row) const {
    if (direction_.reverse) return step + 1 < plan_.steps() && row - plan_.offsets[step] < plan_.batch_sizes[step + 1];
    return step > 0;
  }
  std::size_t row_before(std::size_t step, std::size_t row) const {
    if (plan_.has_trie()) return static_cast<std::size_t>(plan_.before[row]);
    return plan_.offsets[direction_.reverse ? step + 1 : step - 1] + (row - plan_.offsets[step]);
  }

  const T* h_before(std::size_t step, std::size_t row) const {
    return has_before(step, row) ? output(row_before(step, row))
                                 : direction_.h_0 + (row - plan_.offsets[step]) * direction_.output_size;
  }
  const Computed<T>* c_before(std::size_t step, std::size_t row) const {
    return has_before(step, row) ? cells(row_before(step, row))
                                 : c_0_ + (row - plan_.offsets[step]) * direction_.hidden_size;
  }

 private:
  const Direction<T>& direction_;
  const Computed<T>* c_0_;
  const Plan& plan_;
};

/// The cell states that a direction's sequences begin with; null if it has none.
template <class T>
const Computed<T>* initial_cells(Arena& arena, const Direction<T>& direction, const CellKernels<T>& cell,
                                 const Plan& plan) {
  if (!cell.has_cell_state) return nullptr;
  return widened(arena, direction.c_0, plan.batch_sizes.front() * direction.hidden_size);
}

/// A pass, and the steps that it is to run.
template <class Pass>
struct Job {
  Pass* pass;
  const Plan* plan;
};

/// Runs some steps that threads share, if there are any.
template <class Pass>
void run_shared_steps(const Job<Pass>& job, const Range& steps, const Executor& executor) {
  if (steps.size() == 0) return;
  const Plan& plan = *job.plan;
  Barrier barrier(plan.team);
  executor(plan.team, [&](std::size_t begin, std::size_t end) {
    job.pass->run(Worker({begin, end}, plan.team, barrier), begin, {0, plan.path_count}, steps);
  });
}

/// Runs jobs, their dealt steps all at the same time. A pass has `run(worker, place, share, steps)`, for some paths and
/// some steps, `place` being the number of the share, or of the worker in a team; and `first_step_first()`, the order
/// in which it takes the steps.
template <class Pass>
void run_jobs(const std::vector<Job<Pass>>& jobs, const Executor& executor) {
  const auto run_shared = [&](bool first_steps) {
    for (const auto& job : jobs) {
      run_shared_steps(
          job,
          first_steps == job.pass->first_step_first() ? job.plan->first_shared_steps() : job.plan->last_shared_steps(),
          executor);
    }
  };
  run_shared(true);
  std::vector<std::pair<const Job<Pass>*, std::size_t>> shares;
  for (const auto& job : jobs) {
    for (std::size_t place = 0; place < job.plan->shares.size(); ++place) shares.emplace_back(&job, place);
  }
  executor(shares.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const auto& [job, place] = shares[i];
      job->pass->run(Worker(), place, job->plan->shares[place], job->plan->dealt);
    }
  });
  run_shared(false);
}

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
