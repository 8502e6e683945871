// The recurrent part of a layer's backward pass. Compiled once for each CPU target.

#if defined(PACKSEQ_ENGINE_BACKWARD_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_ENGINE_BACKWARD_INL
#undef PACKSEQ_ENGINE_BACKWARD_INL
#else
#define PACKSEQ_ENGINE_BACKWARD_INL
#endif

#include "engine/layer-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::engine::HWY_NAMESPACE {

template <class T>
class BackwardPass {
 public:
  BackwardPass(const Backward<T>& direction, const CellKernels<T>& cell, const Plan& plan)
      : direction_(direction),
        cell_(cell),
        plan_(plan),
        rows_(direction_, plan),
        hidden_weights_({direction.weight_hh, 1, direction.output_size}, cell_.hidden_gates * direction.hidden_size,
                        direction.output_size),
        projection_({direction.weight_hr, 1, direction.hidden_size}, direction.output_size,
                    has_projection() ? direction.hidden_size : 0),
        zeros_(make_zeros<T>(std::max(direction.hidden_size, direction.output_size))) {}

  bool first_step_first() const { return direction_.reverse; }

  void collect(std::vector<WeightPacking<T>*>& weights) {
    weights.push_back(&hidden_weights_);
    weights.push_back(&projection_);
  }

  /// From now on, buffers hold the rows of this plan.
  void begin(const Plan& plan) { first_row_ = plan.rows().begin; }

  void prepare_shared(std::size_t live) { shared_unprojected_ = make_unprojected(live); }

  void run(const Worker& worker, const Range& share, const Range& steps) {
    Buffer<T> own;
    if (worker.is_alone()) own = make_unprojected(plan_.live(share, steps.begin));
    T* const d_unprojected = worker.is_alone() ? own.get() : shared_unprojected_.get();
    Lists lists;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      run_step(worker, share, direction_.reverse ? steps.begin + i : steps.end - 1 - i, d_unprojected, lists);
    }
  }

 private:
  /// The rows of a step.
  struct Lists {
    std::vector<const T*> from;
    std::vector<T*> to;
  };

  bool has_projection() const { return direction_.weight_hr != nullptr; }
  std::size_t gate_row() const { return cell_.gates * direction_.hidden_size; }
  std::size_t buffer_row(std::size_t step, std::size_t rank) const { return rows_.row(step, rank) - first_row_; }
  Buffer<T> make_unprojected(std::size_t live) const {
    return has_projection() ? make_buffer<T>(live * direction_.hidden_size) : nullptr;
  }

  void run_step(const Worker& worker, const Range& share, std::size_t step, T* d_unprojected, Lists& lists) {
    const std::size_t live = plan_.live(share, step);
    lists.from.resize(live);
    lists.to.resize(live);
    if (has_projection()) unproject(worker, share, step, d_unprojected, lists);
    const PackedWeights<T>& weights = hidden_weights_.packed();
    const Range units = worker.part_of(direction_.hidden_size);
    const Range outputs = worker.part_of(direction_.output_size);
    for (std::size_t i = 0; i < live; ++i) {
      T* const d_of_unit = has_projection() ? d_unprojected + i * direction_.hidden_size : nullptr;
      const auto row = backward_row(step, share.begin + i, d_of_unit);
      cell_.backward(row, units);
      T* const kept = direction_.h_before + buffer_row(step, share.begin + i) * direction_.output_size;
      std::copy(row.h_before + outputs.begin, row.h_before + outputs.end, kept + outputs.begin);
      lists.from[i] = row.d_gates + gate_row() - weights.depth;
      lists.to[i] = direction_.d_h + (share.begin + i) * direction_.output_size;
    }
    worker.wait();
    multiply<T>(lists.from.data(), needed(share, step), weights, worker.part_of(weights.panels()), lists.to.data(),
                cell_.passes_gradient ? nullptr : zeros_.get());
    worker.wait();
  }

  /// How many sequences of a share need the gradient of the hidden state before this step.
  std::size_t needed(const Range& share, std::size_t step) const {
    if (direction_.needs_d_h_0) return plan_.live(share, step);
    if (direction_.reverse) return step + 1 < plan_.steps() ? plan_.live(share, step + 1) : 0;
    return step > 0 ? plan_.live(share, step) : 0;
  }

  BackwardRow<T> backward_row(std::size_t step, std::size_t rank, const T* d_unprojected) const {
    const std::size_t hidden = direction_.hidden_size;
    const std::size_t row = rows_.row(step, rank);
    BackwardRow<T> result;
    result.hidden = hidden;
    result.gates = direction_.gates != nullptr ? direction_.gates + row * gate_row() : nullptr;
    result.h_before = rows_.h_before(step, rank);
    result.h = rows_.output(row);
    result.c_before = cell_.has_cell_state ? rows_.c_before(step, rank) : nullptr;
    result.c = cell_.has_cell_state ? direction_.cells + row * hidden : nullptr;
    result.d_output = d_unprojected != nullptr ? d_unprojected : direction_.d_output + row * direction_.d_output_stride;
    result.d_h = d_unprojected != nullptr ? zeros_.get() : direction_.d_h + rank * direction_.output_size;
    result.d_c = cell_.has_cell_state ? direction_.d_c + rank * hidden : nullptr;
    result.d_gates = direction_.d_gates + buffer_row(step, rank) * gate_row();
    return result;
  }

  /// From the gradient of the projection's results to that of what it was given, which is computed again.
  void unproject(const Worker& worker, const Range& share, std::size_t step, T* d_unprojected, Lists& lists) {
    const std::size_t live = plan_.live(share, step);
    const std::size_t hidden = direction_.hidden_size;
    const std::size_t size = direction_.output_size;
    const Range outputs = worker.part_of(size);
    const Range units = worker.part_of(hidden);
    for (std::size_t i = 0; i < live; ++i) {
      const std::size_t row = rows_.row(step, share.begin + i);
      const T* const d_output = direction_.d_output + row * direction_.d_output_stride;
      const T* const d_h = direction_.d_h + (share.begin + i) * size;
      T* const sum = direction_.d_projected + buffer_row(step, share.begin + i) * size;
      std::transform(d_output + outputs.begin, d_output + outputs.end, d_h + outputs.begin, sum + outputs.begin,
                     [](T a, T b) { return a + b; });
      const T* const o = direction_.gates + row * gate_row() + 3 * hidden;
      const T* const c = direction_.cells + row * hidden;
      T* const unprojected = direction_.unprojected + buffer_row(step, share.begin + i) * hidden;
      for_units<T>(units, [&](auto access, std::size_t unit) {
        access.store(hn::Mul(access.load(o + unit), tanh(access.load(c + unit))), unprojected + unit);
      });
      lists.from[i] = sum;
      lists.to[i] = d_unprojected + i * hidden;
    }
    worker.wait();
    const PackedWeights<T>& weights = projection_.packed();
    multiply<T>(lists.from.data(), live, weights, worker.part_of(weights.panels()), lists.to.data(), zeros_.get());
    worker.wait();
  }

  Backward<T> direction_;
  CellKernels<T> cell_;
  const Plan& plan_;
  Rows<T> rows_;
  WeightPacking<T> hidden_weights_;
  WeightPacking<T> projection_;
  Buffer<T> zeros_;
  Buffer<T> shared_unprojected_;
  std::size_t first_row_ = 0;
};

template <class T>
void run_backward(std::span<const Backward<T>> directions, const CellKernels<T>& cell, std::span<const Plan> parts,
                  const Executor& executor, const AfterPart& after_part) {
  std::vector<BackwardPass<T>> passes;
  passes.reserve(directions.size());  // the passes hold pointers to their own members
  for (const auto& direction : directions) passes.emplace_back(direction, cell, parts.front());
  std::vector<WeightPacking<T>*> weights;
  for (auto& pass : passes) pass.collect(weights);
  pack<T>(weights, parts.front().team, executor);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::vector<Job<BackwardPass<T>>> jobs;
    for (auto& pass : passes) {
      jobs.push_back({&pass, &parts[pass.first_step_first() ? i : parts.size() - 1 - i]});
      pass.begin(*jobs.back().plan);
    }
    run_jobs(jobs, executor);
    for (std::size_t d = 0; d < jobs.size(); ++d) after_part(d, jobs[d].plan->rows());
  }
}

}  // namespace packseq::engine::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
