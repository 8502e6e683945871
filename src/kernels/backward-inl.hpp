// The recurrent part of a layer's backward pass. Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_BACKWARD_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_BACKWARD_INL
#undef PACKSEQ_KERNELS_BACKWARD_INL
#else
#define PACKSEQ_KERNELS_BACKWARD_INL
#endif

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

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
        rows_(direction_, plan_),
        hidden_weights_(arena, cell_.hidden_gates * direction.hidden_size, direction.output_size, format()),
        projection_(arena, has_projection() ? direction.output_size : 0, direction.hidden_size, format()),
        products_(arena, direction_, cell_, max_rows(parts), plan_.team),
        zeros_(arena, plan_.batch_sizes.front(), std::max(direction.hidden_size, direction.output_size)),
        no_d_output_(take_zeros<T>(arena, has_projection() ? direction.hidden_size : 0)),
        d_gates_(arena.take<Computed<T>>(max_rows(parts) * d_gates_stride())),
        d_projected_(arena.take<Computed<T>>(has_projection() ? max_rows(parts) * direction.output_size : 0)),
        unprojected_(arena.take<T>(has_projection() ? max_rows(parts) * direction.hidden_size : 0)),
        hidden_before_(arena.take<const T*>(max_rows(parts))) {
    hidden_weights_.take_rows({direction.weight_hh, hidden_weights_.packed().depth, direction.output_size});
    projection_.take_rows({direction.weight_hr, projection_.packed().depth, direction.hidden_size});
    take_scratch(arena, parts);
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
    const Scratch& scratch = worker.is_alone() ? dealt_[place] : team_[place];
    for (std::size_t i = 0; i < steps.size(); ++i) {
      run_step(worker, share, direction_.reverse ? steps.begin + i : steps.end - 1 - i, scratch);
    }
  }

  /// What follows from the gate gradients of a part that has run.
  void finish_part(const Plan& part, const Executor& executor) {
    std::size_t count = 0;
    for (std::size_t step = part.range.begin; step < part.range.end; ++step) {
      for (std::size_t rank = 0; rank < part.batch_sizes[step]; ++rank) {
        hidden_before_[count++] = rows_.h_before(step, rank);
      }
    }
    products_.run({part.rows(), d_gates_, d_gates_stride(), hidden_before_, d_projected_, unprojected_}, part.team,
                  executor);
  }

  /// What follows from those of all parts.
  void finish(std::size_t threads, const Executor& executor) { products_.finish(threads, executor); }

 private:
  /// Memory for a step.
  struct Scratch {
    Computed<T>* d_unprojected;  // which a team has in common
    const Computed<T>** from;
    Computed<T>** to;
    RowsInForm<Computed<T>> in_form;
  };

  Format format() const { return format_of<T>(direction_.precision); }
  bool has_projection() const { return direction_.weight_hr != nullptr; }
  std::size_t gate_row() const { return cell_.gates * direction_.hidden_size; }
  std::size_t d_gates_stride() const { return spread_stride<Computed<T>>(gate_row()); }
  std::size_t buffer_row(std::size_t step, std::size_t rank) const { return rows_.row(step, rank) - first_row_; }

  static std::size_t max_rows(std::span<const Plan> parts) {
    std::size_t most = 0;
    for (const Plan& part : parts) most = std::max(most, part.rows().size());
    return most;
  }

  /// For the shares and the teams of all parts, which run one after the other.
  void take_scratch(Arena& arena, std::span<const Plan> parts) {
    std::size_t shared = 0;
    std::vector<std::size_t> dealt;
    for (const Plan& part : parts) {
      if (part.shared_steps().size() > 0) shared = std::max(shared, part.batch_sizes[part.shared_from]);
      dealt.resize(std::max(dealt.size(), part.shares.size()));
      for (std::size_t i = 0; i < part.shares.size(); ++i) dealt[i] = std::max(dealt[i], part.shares[i].size());
    }
    const auto unprojected = [&](std::size_t live) {
      return arena.take<Computed<T>>(has_projection() ? live * direction_.hidden_size : 0);
    };
    const auto take = [&](std::size_t live, Computed<T>* d_unprojected) {
      const std::size_t width = std::max(cell_.hidden_gates * direction_.hidden_size, direction_.output_size);
      return Scratch{d_unprojected,
                     arena.take<const Computed<T>*>(live),
                     arena.take<Computed<T>*>(live),
                     {arena, format(), live, width}};
    };
    for (const std::size_t live : dealt) dealt_.push_back(take(live, unprojected(live)));
    if (shared == 0) return;
    Computed<T>* const of_team = unprojected(shared);
    for (std::size_t i = 0; i < plan_.team; ++i) team_.push_back(take(shared, of_team));
  }

  void run_step(const Worker& worker, const Range& share, std::size_t step, const Scratch& scratch) const {
    const std::size_t live = plan_.live(share, step);
    if (has_projection()) unproject(worker, share, step, scratch);
    const PackedMatrix<Computed<T>>& weights = hidden_weights_.packed();
    const Range units = worker.part_of(direction_.hidden_size);
    for (std::size_t i = 0; i < live; ++i) {
      Computed<T>* const d_of_unit = has_projection() ? scratch.d_unprojected + i * direction_.hidden_size : nullptr;
      const auto row = backward_row(step, share.begin + i, d_of_unit);
      if (direction_.d_cells != nullptr) {
        const T* const d_c = direction_.d_cells + rows_.row(step, share.begin + i) * direction_.cells_stride;
        std::transform(row.d_c + units.begin, row.d_c + units.end, d_c + units.begin, row.d_c + units.begin,
                       [](Computed<T> sum, T added) { return sum + computed(added); });
      }
      cell_.backward(row, units);
      scratch.from[i] = row.d_gates + gate_row() - weights.depth;
      scratch.to[i] = direction_.d_h + (share.begin + i) * direction_.output_size;
    }
    worker.wait();
    const std::size_t count = needed(share, step);
    multiply<Computed<T>>(scratch.in_form.of(scratch.from, count, weights.depth), count, weights,
                          worker.part_of(weights.panels()), scratch.to,
                          cell_.passes_gradient ? scratch.to : zeros_.rows());
    worker.wait();
  }

  /// How many sequences of a share need the gradient of the hidden state before this step.
  std::size_t needed(const Range& share, std::size_t step) const {
    if (direction_.needs_d_h_0) return plan_.live(share, step);
    if (direction_.reverse) return step + 1 < plan_.steps() ? plan_.live(share, step + 1) : 0;
    return step > 0 ? plan_.live(share, step) : 0;
  }

  BackwardRow<T> backward_row(std::size_t step, std::size_t rank, Computed<T>* d_unprojected) const {
    const std::size_t hidden = direction_.hidden_size;
    const std::size_t row = rows_.row(step, rank);
    BackwardRow<T> result;
    result.hidden = hidden;
    result.gates = direction_.gates != nullptr ? direction_.gates + row * gate_row() : nullptr;
    result.h_before = rows_.h_before(step, rank);
    result.h = rows_.output(row);
    result.c_before = cell_.has_cell_state ? rows_.c_before(step, rank) : nullptr;
    result.c = cell_.has_cell_state ? rows_.cells(row) : nullptr;
    result.d_output = d_unprojected != nullptr ? no_d_output_ : direction_.d_output + row * direction_.d_output_stride;
    result.d_h = d_unprojected != nullptr ? d_unprojected : direction_.d_h + rank * direction_.output_size;
    result.d_c = cell_.has_cell_state ? direction_.d_c + rank * hidden : nullptr;
    result.d_gates = d_gates_ + buffer_row(step, rank) * d_gates_stride();
    return result;
  }

  /// From the gradient of the projection's results to that of what it was given, which is computed again.
  void unproject(const Worker& worker, const Range& share, std::size_t step, const Scratch& scratch) const {
    const std::size_t live = plan_.live(share, step);
    const std::size_t hidden = direction_.hidden_size;
    const std::size_t size = direction_.output_size;
    const Range outputs = worker.part_of(size);
    const Range units = worker.part_of(hidden);
    for (std::size_t i = 0; i < live; ++i) {
      const std::size_t row = rows_.row(step, share.begin + i);
      const T* const d_output = direction_.d_output + row * direction_.d_output_stride;
      const Computed<T>* const d_h = direction_.d_h + (share.begin + i) * size;
      Computed<T>* const sum = d_projected_ + buffer_row(step, share.begin + i) * size;
      std::transform(d_output + outputs.begin, d_output + outputs.end, d_h + outputs.begin, sum + outputs.begin,
                     [](T a, Computed<T> b) { return computed(a) + b; });
      const Computed<T>* const o = direction_.gates + row * gate_row() + 3 * hidden;
      const Computed<T>* const c = rows_.cells(row);
      T* const unprojected = unprojected_ + buffer_row(step, share.begin + i) * hidden;
      for_units<T>(units, [&](auto access, std::size_t unit) {
        access.store(hn::Mul(access.load(o + unit), tanh(access.load(c + unit))), unprojected + unit);
      });
      scratch.from[i] = sum;
      scratch.to[i] = scratch.d_unprojected + i * hidden;
    }
    worker.wait();
    const PackedMatrix<Computed<T>>& weights = projection_.packed();
    multiply<Computed<T>>(scratch.in_form.of(scratch.from, live, weights.depth), live, weights,
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
  std::vector<Scratch> dealt_;  // of each share
  std::vector<Scratch> team_;   // of each member
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
  pack<T>(weights, parts.front().team, executor);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::vector<Job<BackwardPass<T>>> jobs;
    for (auto& pass : passes) {
      jobs.push_back({pass.get(), &parts[pass->first_step_first() ? i : parts.size() - 1 - i]});
      pass->begin(*jobs.back().plan);
    }
    run_jobs(jobs, executor);
    for (const auto& job : jobs) job.pass->finish_part(*job.plan, executor);
  }
  for (auto& pass : passes) pass->finish(parts.front().team, executor);
}

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
