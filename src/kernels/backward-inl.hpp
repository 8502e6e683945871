// The recurrent part of a layer's backward pass. Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_BACKWARD_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_BACKWARD_INL
#undef PACKSEQ_KERNELS_BACKWARD_INL
#else
#define PACKSEQ_KERNELS_BACKWARD_INL
#endif

#include <algorithm>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "kernels/backward_scratch-inl.hpp"
#include "kernels/layer-inl.hpp"
#include "kernels/layer_products-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {

template <class T>
class BackwardPass {
 public:
  BackwardPass(Arena& arena, const Backward<T>& direction, const CellKernels<T>& cell, std::span<const Plan> parts)
      : direction_(direction),
        cell_(cell),
        plan_(parts.front()),
        rows_(direction_, initial_cells(arena, direction_, cell_, plan_), plan_),
        hidden_weights_(arena, cell_.hidden_gates * direction.hidden_size, direction.output_size, format()),
        projection_(arena, has_projection() ? direction.output_size : 0, direction.hidden_size, format()),
        products_(arena, direction_, cell_, max_rows(parts), plan_.threads),
        zeros_(arena, plan_.most_rows(), std::max(direction.hidden_size, direction.output_size)),
        no_d_output_(take_zeros<T>(arena, has_projection() ? direction.hidden_size : 0)),
        d_gates_(arena.take<Computed<T>>(max_rows(parts) * d_gates_stride())),
        d_projected_(arena.take<Computed<T>>(has_projection() ? max_rows(parts) * direction.output_size : 0)),
        unprojected_(arena.take<T>(has_projection() ? max_rows(parts) * direction.hidden_size : 0)),
        hidden_before_(arena.take<const T*>(max_rows(parts))),
        memory_(take_memory<T>(arena, direction_, parts, sums_width())) {
    hidden_weights_.take_rows({direction.weight_hh, hidden_weights_.packed().depth, direction.output_size});
    projection_.take_rows({direction.weight_hr, projection_.packed().depth, direction.hidden_size});
  }

  bool first_step_first() const { return direction_.reverse; }

  void collect(std::vector<Packing<T>*>& weights) {
    weights.push_back(&hidden_weights_);
    weights.push_back(&projection_);
    products_.collect(weights);
  }

  /// From now on, buffers hold the rows of this part.
  void begin(const Plan& part) { first_row_ = part.rows().begin; }

  void run(const Worker& worker, std::size_t place, const Range& share, const Range& steps) const {
    const BackwardScratch<T>& scratch = worker.is_alone() ? memory_.dealt[place] : memory_.team[place];
    for (std::size_t i = 0; i < steps.size(); ++i) {
      run_step(worker, share, direction_.reverse ? steps.begin + i : steps.end - 1 - i, scratch);
    }
  }

  /// What follows from the gate gradients of a part that has run.
  void finish_part(const Plan& part, const Executor& executor) {
    std::size_t count = 0;
    for (std::size_t step = part.range.begin; step < part.range.end; ++step) {
      for (std::size_t row = part.offsets[step]; row < part.offsets[step + 1]; ++row) {
        hidden_before_[count++] = rows_.h_before(step, row);
      }
    }
    products_.run({part.rows(), d_gates_, d_gates_stride(), hidden_before_, d_projected_, unprojected_}, part.threads,
                  executor);
  }

  /// What follows from those of all parts.
  void finish(std::size_t threads, const Executor& executor) { products_.finish(threads, executor); }

 private:
  Format format() const { return format_of<T>(direction_.precision); }
  bool has_projection() const { return direction_.weight_hr != nullptr; }
  std::size_t gate_row() const { return cell_.gates * direction_.hidden_size; }
  std::size_t d_gates_stride() const { return spread_stride<Computed<T>>(gate_row()); }

  std::size_t sums_width() const { return hidden_weights_.packed().depth; }
  std::size_t sums_stride() const { return spread_stride<Computed<T>>(sums_width()); }
  Computed<T>* d_gates_of(std::size_t row) const { return d_gates_ + (row - first_row_) * d_gates_stride(); }
  /// Those of the gates that the hidden state has a part in.
  const Computed<T>* hidden_part(std::size_t row) const {
    return d_gates_of(row) + gate_row() - cell_.hidden_gates * direction_.hidden_size;
  }

  static std::size_t max_rows(std::span<const Plan> parts) {
    std::size_t most = 0;
    for (const Plan& part : parts) most = std::max(most, part.rows().size());
    return most;
  }

  void run_step(const Worker& worker, const Range& share, std::size_t step, const BackwardScratch<T>& scratch) const {
    const Range rows = plan_.rows(share, step);
    if (has_projection()) unproject(worker, step, rows, scratch);
    const Range units = worker.part_of(direction_.hidden_size);
    for (std::size_t row = rows.begin; row < rows.end; ++row) {
      Computed<T>* const d_of_unit =
          has_projection() ? scratch.d_unprojected + (row - rows.begin) * direction_.hidden_size : nullptr;
      const auto of_row = backward_row(step, row, d_of_unit);
      if (direction_.d_cells != nullptr) {
        const T* const d_c = direction_.d_cells + row * direction_.cells_stride;
        std::transform(of_row.d_c + units.begin, of_row.d_c + units.end, d_c + units.begin, of_row.d_c + units.begin,
                       [](Computed<T> sum, T added) { return sum + computed(added); });
      }
      cell_.backward(of_row, units);
    }
    const std::size_t count = list_states_before(share, step, rows, units, scratch);
    worker.wait();
    const PackedMatrix<Computed<T>>& weights = hidden_weights_.packed();
    multiply<Computed<T>>(scratch.in_form.of(scratch.from, count, weights.depth), count, weights,
                          worker.part_of(weights.panels()), scratch.to,
                          cell_.passes_gradient ? scratch.to : zeros_.rows());
    worker.wait();
  }

  /// Lists the gate gradients of a step's rows, and where the gradients of the hidden states before it go; how many of
  /// these are needed.
  std::size_t list_states_before(const Range& share, std::size_t step, const Range& rows, const Range& units,
                                 const BackwardScratch<T>& scratch) const {
    const std::size_t needed_rows = needed(share, step);
    std::size_t count = 0;
    std::size_t sums = 0;
    for (std::size_t row = rows.begin; row < rows.begin + needed_rows; ++count) {
      std::size_t end = row + 1;
      if (plan_.has_trie()) {
        while (end < rows.end && plan_.before[end] == plan_.before[row]) ++end;
      }
      scratch.to[count] = direction_.d_h + plan_.path(step, row) * direction_.output_size;
      scratch.from[count] = hidden_part(row);
      if (end - row > 1) {
        Computed<T>* const sum = scratch.sums + sums++ * sums_stride();
        add_siblings(step, {row, end}, units, sum);
        scratch.from[count] = sum;
      }
      row = end;
    }
    return count;
  }

  /// Adds some units of what goes from some rows of a trie to the row that they all go on from; the first of them is on
  /// its path.
  void add_siblings(std::size_t step, const Range& rows, const Range& units, Computed<T>* sum) const {
    const std::size_t hidden = direction_.hidden_size;
    const auto add = [&](const Computed<T>* from, Computed<T>* to) {
      std::transform(to + units.begin, to + units.end, from + units.begin, to + units.begin, std::plus<Computed<T>>());
    };
    const std::size_t path = plan_.path(step, rows.begin);
    for (std::size_t block = 0; block < cell_.hidden_gates; ++block) {
      const Computed<T>* const first = hidden_part(rows.begin) + block * hidden;
      std::copy(first + units.begin, first + units.end, sum + block * hidden + units.begin);
      for (std::size_t row = rows.begin + 1; row < rows.end; ++row) {
        add(hidden_part(row) + block * hidden, sum + block * hidden);
      }
    }
    for (std::size_t row = rows.begin + 1; row < rows.end; ++row) {
      const std::size_t other = plan_.path(step, row);
      if (cell_.has_cell_state) add(direction_.d_c + other * hidden, direction_.d_c + path * hidden);
      if (cell_.passes_gradient) add(direction_.d_h + other * hidden, direction_.d_h + path * hidden);
    }
  }

  /// How many rows of a share need the gradient of the hidden state before this step: the first ones.
  std::size_t needed(const Range& share, std::size_t step) const {
    if (direction_.needs_d_h_0) return plan_.rows(share, step).size();
    if (direction_.reverse) return step + 1 < plan_.steps() ? plan_.rows(share, step + 1).size() : 0;
    return step > 0 ? plan_.rows(share, step).size() : 0;
  }

  BackwardRow<T> backward_row(std::size_t step, std::size_t row, Computed<T>* d_unprojected) const {
    const std::size_t hidden = direction_.hidden_size;
    const std::size_t path = plan_.path(step, row);
    BackwardRow<T> result;
    result.hidden = hidden;
    result.gates = direction_.gates != nullptr ? direction_.gates + row * gate_row() : nullptr;
    result.h_before = rows_.h_before(step, row);
    result.h = rows_.output(row);
    result.c_before = cell_.has_cell_state ? rows_.c_before(step, row) : nullptr;
    result.c = cell_.has_cell_state ? rows_.cells(row) : nullptr;
    result.d_output = d_unprojected != nullptr ? no_d_output_ : direction_.d_output + row * direction_.d_output_stride;
    result.d_h = d_unprojected != nullptr ? d_unprojected : direction_.d_h + path * direction_.output_size;
    result.d_c = cell_.has_cell_state ? direction_.d_c + path * hidden : nullptr;
    result.d_gates = d_gates_of(row);
    return result;
  }

  /// From the gradient of the projection's results to that of what it was given, which is computed again.
  void unproject(const Worker& worker, std::size_t step, const Range& rows, const BackwardScratch<T>& scratch) const {
    const std::size_t hidden = direction_.hidden_size;
    const std::size_t size = direction_.output_size;
    const Range outputs = worker.part_of(size);
    const Range units = worker.part_of(hidden);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::size_t row = rows.begin + i;
      const T* const d_output = direction_.d_output + row * direction_.d_output_stride;
      const Computed<T>* const d_h = direction_.d_h + plan_.path(step, row) * size;
      Computed<T>* const sum = d_projected_ + (row - first_row_) * size;
      std::transform(d_output + outputs.begin, d_output + outputs.end, d_h + outputs.begin, sum + outputs.begin,
                     [](T a, Computed<T> b) { return computed(a) + b; });
      const Computed<T>* const o = direction_.gates + row * gate_row() + 3 * hidden;
      const Computed<T>* const c = rows_.cells(row);
      T* const unprojected = unprojected_ + (row - first_row_) * hidden;
      for_units<T>(units, [&](auto access, std::size_t unit) {
        access.store(hn::Mul(access.load(o + unit), tanh(access.load(c + unit))), unprojected + unit);
      });
      scratch.from[i] = sum;
      scratch.to[i] = scratch.d_unprojected + i * hidden;
    }
    worker.wait();
    const PackedMatrix<Computed<T>>& weights = projection_.packed();
    multiply<Computed<T>>(scratch.in_form.of(scratch.from, rows.size(), weights.depth), rows.size(), weights,
                          worker.part_of(weights.panels()), scratch.to, zeros_.rows());
    worker.wait();
  }

  Backward<T> direction_;
  CellKernels<T> cell_;
  const Plan& plan_;
  Rows<T> rows_;
  Packing<T> hidden_weights_;
  Packing<T> projection_;
  LayerProducts<T> products_;
  RepeatedRow<Computed<T>> zeros_;
  T* no_d_output_;  // with a projection, what the cell gets in its place
  // Of the rows of a part:
  Computed<T>* d_gates_;
  Computed<T>* d_projected_;
  T* unprojected_;
  const T** hidden_before_;
  BackwardMemory<T> memory_;
  std::size_t first_row_ = 0;
};

template <class T>
void run_backward(std::span<const Backward<T>> directions, const CellKernels<T>& cell, std::span<const Plan> parts,
                  const Executor& executor) {
  Arena arena;
  std::vector<std::unique_ptr<BackwardPass<T>>> passes;  // each holds pointers to its own members
  std::vector<Packing<T>*> weights;
  for (const auto& direction : directions) {
    passes.push_back(std::make_unique<BackwardPass<T>>(arena, direction, cell, parts));
    passes.back()->collect(weights);
  }
  pack<T>(weights, parts.front().threads, executor);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::vector<Job<BackwardPass<T>>> jobs;
    for (auto& pass : passes) {
      jobs.push_back({pass.get(), &parts[pass->first_step_first() ? i : parts.size() - 1 - i]});
      pass->begin(*jobs.back().plan);
    }
    run_jobs(jobs, executor);
    for (const auto& job : jobs) job.pass->finish_part(*job.plan, executor);
  }
  for (auto& pass : passes) pass->finish(parts.front().threads, executor);
}

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
