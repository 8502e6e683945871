// The forward pass of a layer. Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_FORWARD_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_FORWARD_INL
#undef PACKSEQ_KERNELS_FORWARD_INL
#else
#define PACKSEQ_KERNELS_FORWARD_INL
#endif

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "kernels/arena.hpp"
#include "kernels/forward_scratch-inl.hpp"
#include "kernels/forward_states-inl.hpp"
#include "kernels/input_product-inl.hpp"
#include "kernels/layer-inl.hpp"
#include "kernels/weights-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {

template <class T>
class ForwardPass {
 public:
  ForwardPass(Arena& arena, const Forward<T>& direction, const CellKernels<T>& cell, const Plan& plan)
      : direction_(direction),
        cell_(cell),
        plan_(plan),
        states_(arena, direction_, cell_, plan),
        input_product_(arena, direction_, cell_, rows_per_chunk + plan.most_rows(),
                       direction.index != nullptr ? plan.threads : plan.shares.size() + plan.shared_steps()),
        hidden_weights_(arena, direction, cell_, Role::hh, plan.reads()),
        projection_(arena, direction, cell_, Role::hr, plan.reads()),
        forms_of_distinct_(forms_of_input(arena, direction_, direction.index != nullptr ? plan.threads : 0)),
        distinct_sums_(arena.take<Computed<T>>(direction.index != nullptr ? direction.input_rows * gate_row() : 0)),
        zeros_(arena, plan.most_rows(), direction.output_size) {
    const ForwardMemory<T> memory = {arena, direction_, gate_row()};
    for (const Range& share : plan.shares) {
      const std::size_t live = plan.most_rows(share, plan.dealt);
      dealt_.push_back({memory.sums(live), memory.lists(live)});
    }
    if (plan.shared_steps() == 0) return;
    const Range all = {0, plan.path_count};
    const std::size_t live =
        std::max(plan.most_rows(all, plan.first_shared_steps()), plan.most_rows(all, plan.last_shared_steps()));
    const ForwardSums<T> sums = memory.sums(live);
    for (std::size_t i = 0; i < plan.team; ++i) team_.push_back({sums, memory.lists(live)});
  }

  bool first_step_first() const { return !direction_.reverse; }

  /// The weights that are to be packed.
  void collect(std::vector<Packing<T>*>& weights) {
    if (direction_.input_rows > 0) input_product_.collect(weights);
    hidden_weights_.collect(weights);
    projection_.collect(weights);
  }

  /// What several tokens have in common, once; the work of one of several workers. The direction has an index.
  void project_distinct(const Worker& worker, std::size_t place) const {
    project_input(input_product_, direction_, distinct_sums_, worker, forms_of_distinct_[place]);
  }

  void run(const Worker& worker, std::size_t place, const Range& share, const Range& steps) const {
    const ForwardScratch<T>& scratch = worker.is_alone() ? dealt_[place] : team_[place];
    Range live = steps;  // the steps that the share reaches
    while (live.size() > 0 && plan_.rows(share, live.end - 1).size() == 0) --live.end;
    while (live.size() > 0) {
      const Range chunk = next_chunk(share, live);
      run_chunk(worker, share, chunk, scratch);
      (direction_.reverse ? live.end : live.begin) = direction_.reverse ? chunk.begin : chunk.end;
    }
  }

  /// Hands out what sequences end with.
  void finish() const { states_.finish(); }

 private:
  bool has_projection() const { return direction_.weight_hr != nullptr; }
  std::size_t gate_row() const { return cell_.gates * direction_.hidden_size; }
  const T* input_of(std::size_t step, std::size_t row) const {
    const auto& strides = direction_.input_strides;
    if (!strides) return direction_.input + row * direction_.input_size;
    const std::size_t rank = row - plan_.offsets[step];
    return direction_.input + step * strides->between_steps + rank * strides->between_sequences;
  }

  /// Those that all tokens with this index start from.
  const Computed<T>* sums_of(std::int32_t index) const {
    const auto row = static_cast<std::size_t>(index);
    return row < direction_.known_rows ? direction_.known_sums + row * gate_row()
                                       : distinct_sums_ + (row - direction_.known_rows) * gate_row();
  }

  /// The next steps, up to a good number of rows.
  Range next_chunk(const Range& share, const Range& steps) const {
    Range chunk = direction_.reverse ? Range{steps.end, steps.end} : Range{steps.begin, steps.begin};
    std::size_t rows = 0;
    while (chunk.size() < steps.size() && rows < rows_worth_a_chunk(direction_)) {
      rows += plan_.rows(share, direction_.reverse ? --chunk.begin : chunk.end++).size();
    }
    return chunk;
  }

  std::size_t step_at(const Range& chunk, std::size_t i) const {
    return direction_.reverse ? chunk.end - 1 - i : chunk.begin + i;
  }

  /// Lists the rows of a chunk; how many there are.
  std::size_t list_rows(const Range& share, const Range& chunk, const ForwardScratch<T>& scratch) const {
    const ForwardLists<T>& lists = scratch.lists;
    const std::size_t first_hidden = gate_row() - cell_.hidden_gates * direction_.hidden_size;
    std::size_t count = 0;
    for (std::size_t i = 0; i < chunk.size(); ++i) {
      const std::size_t step = step_at(chunk, i);
      const Range rows = plan_.rows(share, step);
      for (std::size_t row = rows.begin; row < rows.end; ++row, ++count) {
        if (direction_.index == nullptr) lists.inputs[count] = input_of(step, row);
        lists.sums[count] =
            direction_.gates != nullptr ? direction_.gates + row * gate_row() : scratch.sums.gates + count * gate_row();
        lists.hidden_sums[count] = lists.sums[count] + first_hidden;
        lists.start[count] =
            direction_.index != nullptr ? sums_of(direction_.index[row]) + first_hidden : lists.hidden_sums[count];
      }
    }
    return count;
  }

  void run_chunk(const Worker& worker, const Range& share, const Range& chunk, const ForwardScratch<T>& scratch) const {
    const std::size_t rows = list_rows(share, chunk, scratch);
    if (direction_.index != nullptr) {
      copy_unadded(worker, scratch.lists, rows);
    } else {
      input_product_.run(worker, scratch.lists.inputs, rows, scratch.lists.sums, scratch.lists.inputs_in_form);
      worker.wait();
    }
    std::size_t first = 0;  // of the step's rows in the chunk
    for (std::size_t i = 0; i < chunk.size(); ++i) {
      const std::size_t step = step_at(chunk, i);
      const Range rows_of_step = plan_.rows(share, step);
      run_step(worker, step, rows_of_step, first, scratch);
      first += rows_of_step.size();
    }
  }

  /// The sums that tokens share and the hidden state's product adds nothing to.
  void copy_unadded(const Worker& worker, const ForwardLists<T>& lists, std::size_t rows) const {
    const std::size_t count = gate_row() - cell_.hidden_gates * direction_.hidden_size;
    const Range part = worker.part_of(rows);
    for (std::size_t i = part.begin; i < part.end; ++i) std::copy_n(lists.start[i] - count, count, lists.sums[i]);
  }

  void run_step(const Worker& worker, std::size_t step, const Range& rows, std::size_t first,
                const ForwardScratch<T>& scratch) const {
    const ForwardLists<T>& lists = scratch.lists;
    for (std::size_t i = 0; i < rows.size(); ++i) lists.from[i] = states_.h_before(step, rows.begin + i);
    hidden_weights_.multiply(lists.from, rows.size(), worker.part_of(hidden_weights_.panels()),
                             lists.hidden_sums + first, lists.start + first, lists.from_in_form);
    worker.wait();
    const Range units = worker.part_of(direction_.hidden_size);
    const auto forward = direction_.gates != nullptr ? cell_.forward_keeping : cell_.forward;
    states_.begin(step, rows, units);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      T* const unprojected = has_projection() ? scratch.sums.unprojected + i * direction_.hidden_size : nullptr;
      forward(forward_row(step, rows.begin + i, lists.sums[first + i], unprojected), units);
    }
    worker.wait();
    if (has_projection()) project(worker, rows, scratch);
  }

  ForwardRow<T> forward_row(std::size_t step, std::size_t row, Computed<T>* sums, T* unprojected) const {
    ForwardRow<T> result = {};
    result.hidden = direction_.hidden_size;
    result.gates = sums;
    states_.set(step, row, result);
    if (unprojected != nullptr) result.h = unprojected;
    return result;
  }

  void project(const Worker& worker, const Range& rows, const ForwardScratch<T>& scratch) const {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      scratch.lists.from[i] = scratch.sums.unprojected + i * direction_.hidden_size;
      if constexpr (is_narrow<T>) {
        scratch.lists.to[i] = scratch.sums.projected + i * direction_.output_size;
      } else {
        scratch.lists.to[i] = states_.output(rows.begin + i);
      }
    }
    projection_.multiply(scratch.lists.from, rows.size(), worker.part_of(projection_.panels()), scratch.lists.to,
                         zeros_.rows(), scratch.lists.from_in_form);
    worker.wait();
    if constexpr (is_narrow<T>) {
      const Range part = worker.part_of(rows.size());
      for (std::size_t i = part.begin; i < part.end; ++i) {
        narrow_line(scratch.lists.to[i], direction_.output_size, states_.output(rows.begin + i));
      }
      worker.wait();
    }
  }

  Forward<T> direction_;
  CellKernels<T> cell_;
  const Plan& plan_;
  ForwardStates<T> states_;
  InputProduct<T> input_product_;
  Weights<T> hidden_weights_;
  Weights<T> projection_;
  std::vector<RowsInForm<T>> forms_of_distinct_;  // of each worker
  Computed<T>* distinct_sums_;
  RepeatedRow<Computed<T>> zeros_;
  std::vector<ForwardScratch<T>> dealt_;  // of each share
  std::vector<ForwardScratch<T>> team_;   // of each member
};

template <class T>
void run_forward(std::span<const Forward<T>> directions, const CellKernels<T>& cell, const Plan& plan,
                 const Executor& executor) {
  Arena arena;
  std::vector<ForwardPass<T>> passes;
  passes.reserve(directions.size());  // the passes hold pointers to their own members
  for (const auto& direction : directions) passes.emplace_back(arena, direction, cell, plan);
  std::vector<Packing<T>*> weights;
  for (auto& pass : passes) pass.collect(weights);
  pack<T>(weights, plan.threads, executor);
  if (directions.front().index != nullptr && directions.front().input_rows > 0) {
    executor(plan.threads, [&](std::size_t begin, std::size_t end) {
      for (auto& pass : passes) pass.project_distinct(Worker({begin, end}, plan.threads), begin);
    });
  }
  std::vector<Job<ForwardPass<T>>> jobs;
  for (auto& pass : passes) jobs.push_back({&pass, &plan});
  run_jobs(jobs, executor);
  for (auto& pass : passes) pass.finish();
}

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
