// The forward pass of a layer. Compiled once for each CPU target.

#if defined(PACKSEQ_ENGINE_FORWARD_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_ENGINE_FORWARD_INL
#undef PACKSEQ_ENGINE_FORWARD_INL
#else
#define PACKSEQ_ENGINE_FORWARD_INL
#endif

#include "engine/layer-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::engine::HWY_NAMESPACE {

// The input's product is computed for some steps at a time: enough rows to read its weights seldom, few enough for the
// sums to be still in the cache when their step comes.
constexpr std::size_t rows_per_chunk = 128;

template <class T>
class ForwardPass {
 public:
  ForwardPass(const Forward<T>& direction, const CellKernels<T>& cell, const Plan& plan)
      : direction_(direction),
        cell_(cell),
        plan_(plan),
        rows_(direction_, plan),
        input_weights_({direction.weight_ih, direction.input_size, 1, cell_.rotation * direction.hidden_size},
                       direction.input_size, cell_.input_gates * direction.hidden_size),
        hidden_weights_({direction.weight_hh, direction.output_size, 1}, direction.output_size,
                        cell_.hidden_gates * direction.hidden_size),
        projection_({direction.weight_hr, direction.hidden_size, 1}, direction.hidden_size,
                    has_projection() ? direction.output_size : 0),
        zeros_(make_zeros<T>(direction.output_size)) {
    add_biases();
  }

  bool first_step_first() const { return !direction_.reverse; }

  /// The weights that are to be packed.
  void collect(std::vector<WeightPacking<T>*>& weights) {
    for (auto* matrix : {&input_weights_, &hidden_weights_, &projection_}) weights.push_back(matrix);
  }

  void prepare_shared(std::size_t live) { shared_scratch_ = make_scratch(live); }

  void run(const Worker& worker, const Range& share, const Range& steps) {
    Scratch own;
    if (!shared_scratch_.sums || worker.is_alone()) own = make_scratch(plan_.live(share, steps.begin));
    const Scratch& scratch = worker.is_alone() ? own : shared_scratch_;
    Range live = steps;  // the steps that the share reaches
    while (live.size() > 0 && plan_.live(share, live.end - 1) == 0) --live.end;
    while (live.size() > 0) {
      const Range chunk = next_chunk(share, live);
      run_chunk(worker, share, chunk, scratch);
      (direction_.reverse ? live.end : live.begin) = direction_.reverse ? chunk.begin : chunk.end;
    }
  }

  /// Copies what sequences end with.
  void finish() {
    for (std::size_t rank = 0; rank < plan_.batch_sizes.front(); ++rank) {
      std::size_t last = 0;
      if (!direction_.reverse) {
        while (last + 1 < plan_.steps() && rank < plan_.batch_sizes[last + 1]) ++last;
      }
      const std::size_t row = rows_.row(last, rank);
      std::copy_n(rows_.output(row), direction_.output_size, direction_.h_n + rank * direction_.output_size);
      if (cell_.has_cell_state && direction_.cells != nullptr) {
        std::copy_n(direction_.cells + row * direction_.hidden_size, direction_.hidden_size,
                    direction_.c_n + rank * direction_.hidden_size);
      }
    }
  }

 private:
  struct Scratch {
    Buffer<T> sums;         // of a chunk's gates, where they are not kept
    Buffer<T> unprojected;  // of a step
  };

  bool has_projection() const { return direction_.weight_hr != nullptr; }
  std::size_t gate_row() const { return cell_.gates * direction_.hidden_size; }

  Scratch make_scratch(std::size_t live) const {
    Scratch scratch;
    if (direction_.gates == nullptr) scratch.sums = make_buffer<T>((rows_per_chunk + live) * gate_row());
    if (has_projection()) scratch.unprojected = make_buffer<T>(live * direction_.hidden_size);
    return scratch;
  }

  /// The biases that the sums start from: where both products add to a sum, both of its biases.
  void add_biases() {
    const std::size_t hidden = direction_.hidden_size;
    const std::size_t inputs = cell_.input_gates * hidden;
    biases_ = make_zeros<T>(gate_row());
    if (direction_.bias_ih == nullptr) return;
    for (std::size_t i = 0; i < inputs; ++i) {
      biases_[i] = direction_.bias_ih[(i + cell_.rotation * hidden) % inputs];
    }
    const std::size_t first = gate_row() - cell_.hidden_gates * hidden;
    for (std::size_t i = first; i < gate_row(); ++i) biases_[i] += direction_.bias_hh[i - first];
  }

  /// The next steps, up to a good number of rows.
  Range next_chunk(const Range& share, const Range& steps) const {
    Range chunk = direction_.reverse ? Range{steps.end, steps.end} : Range{steps.begin, steps.begin};
    std::size_t rows = 0;
    while (chunk.size() < steps.size() && rows < rows_per_chunk) {
      rows += plan_.live(share, direction_.reverse ? --chunk.begin : chunk.end++);
    }
    return chunk;
  }

  void run_chunk(const Worker& worker, const Range& share, const Range& chunk, const Scratch& scratch) {
    std::vector<const T*> inputs;
    std::vector<T*> sums;
    for (std::size_t i = 0; i < chunk.size(); ++i) {
      const std::size_t step = direction_.reverse ? chunk.end - 1 - i : chunk.begin + i;
      for (std::size_t rank = share.begin; rank < share.begin + plan_.live(share, step); ++rank) {
        const std::size_t row = rows_.row(step, rank);
        sums.push_back(direction_.gates != nullptr ? direction_.gates + row * gate_row()
                                                   : scratch.sums.get() + sums.size() * gate_row());
        inputs.push_back(direction_.input + row * direction_.input_size);
      }
    }
    const Range panels = worker.part_of(input_weights_.packed().panels());
    multiply<T>(inputs.data(), inputs.size(), input_weights_.packed(), panels, sums.data(), biases_.get());
    start_hidden_sums(worker, sums);
    worker.wait();
    T* const* step_sums = sums.data();
    for (std::size_t i = 0; i < chunk.size(); ++i) {
      const std::size_t step = direction_.reverse ? chunk.end - 1 - i : chunk.begin + i;
      run_step(worker, share, step, step_sums, scratch);
      step_sums += plan_.live(share, step);
    }
  }

  /// Sums that the input's product has no part in start from their bias.
  void start_hidden_sums(const Worker& worker, const std::vector<T*>& sums) const {
    const std::size_t from = cell_.input_gates * direction_.hidden_size;
    if (from == gate_row()) return;
    const Range part = worker.part_of(sums.size());
    for (std::size_t i = part.begin; i < part.end; ++i) {
      std::copy(biases_.get() + from, biases_.get() + gate_row(), sums[i] + from);
    }
  }

  void run_step(const Worker& worker, const Range& share, std::size_t step, T* const* sums, const Scratch& scratch) {
    const std::size_t live = plan_.live(share, step);
    const std::size_t hidden = direction_.hidden_size;
    std::vector<const T*> h_before(live);
    std::vector<T*> hidden_sums(live);
    for (std::size_t i = 0; i < live; ++i) {
      h_before[i] = rows_.h_before(step, share.begin + i);
      hidden_sums[i] = sums[i] + gate_row() - cell_.hidden_gates * hidden;
    }
    multiply<T>(h_before.data(), live, hidden_weights_.packed(),
                worker.part_of(hidden_weights_.packed().panels()), hidden_sums.data(), nullptr);
    worker.wait();
    const Range units = worker.part_of(hidden);
    for (std::size_t i = 0; i < live; ++i) {
      const auto row = forward_row(step, share.begin + i, sums[i], h_before[i],
                                   has_projection() ? scratch.unprojected.get() + i * hidden : nullptr);
      (direction_.gates != nullptr ? cell_.forward_keeping : cell_.forward)(row, units);
    }
    worker.wait();
    if (has_projection()) project(worker, share, step, scratch);
  }

  ForwardRow<T> forward_row(std::size_t step, std::size_t rank, T* sums, const T* h_before, T* unprojected) const {
    const std::size_t hidden = direction_.hidden_size;
    const std::size_t row = rows_.row(step, rank);
    ForwardRow<T> result = {hidden, sums, h_before, nullptr, nullptr,
                            unprojected != nullptr ? unprojected : rows_.output(row)};
    if (cell_.has_cell_state) {
      if (direction_.cells != nullptr) {
        result.c_before = rows_.c_before(step, rank);
        result.c = direction_.cells + row * hidden;
      } else {
        result.c = direction_.c_n + rank * hidden;
        result.c_before = rows_.has_before(step, rank) ? result.c : direction_.c_0 + rank * hidden;
      }
    }
    return result;
  }

  void project(const Worker& worker, const Range& share, std::size_t step, const Scratch& scratch) const {
    const std::size_t live = plan_.live(share, step);
    std::vector<const T*> from(live);
    std::vector<T*> to(live);
    for (std::size_t i = 0; i < live; ++i) {
      from[i] = scratch.unprojected.get() + i * direction_.hidden_size;
      to[i] = rows_.output(rows_.row(step, share.begin + i));
    }
    multiply<T>(from.data(), live, projection_.packed(), worker.part_of(projection_.packed().panels()), to.data(),
                zeros_.get());
    worker.wait();
  }

  Forward<T> direction_;
  CellKernels<T> cell_;
  const Plan& plan_;
  Rows<T> rows_;
  WeightPacking<T> input_weights_;
  WeightPacking<T> hidden_weights_;
  WeightPacking<T> projection_;
  Buffer<T> zeros_;
  Buffer<T> biases_;
  Scratch shared_scratch_;
};

template <class T>
void run_forward(std::span<const Forward<T>> directions, const CellKernels<T>& cell, const Plan& plan, const Executor& executor) {
  std::vector<ForwardPass<T>> passes;
  passes.reserve(directions.size());  // the passes hold pointers to their own members
  for (const auto& direction : directions) passes.emplace_back(direction, cell, plan);
  std::vector<WeightPacking<T>*> weights;
  for (auto& pass : passes) pass.collect(weights);
  pack<T>(weights, plan.team, executor);
  run_passes(passes, plan, executor);
  for (auto& pass : passes) pass.finish();
}

}  // namespace packseq::engine::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
