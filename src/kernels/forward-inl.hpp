// The forward pass of a layer. Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_FORWARD_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_FORWARD_INL
#undef PACKSEQ_KERNELS_FORWARD_INL
#else
#define PACKSEQ_KERNELS_FORWARD_INL
#endif

#include "kernels/input_product-inl.hpp"
#include "kernels/layer-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {

template <class T>
class ForwardPass {
 public:
  ForwardPass(const Forward<T>& direction, const CellKernels<T>& cell, const Plan& plan)
      : direction_(direction),
        cell_(cell),
        plan_(plan),
        rows_(direction_, plan),
        input_product_(direction_, cell_, rows_per_chunk + plan.batch_sizes.front()),
        hidden_weights_(direction.output_size, cell_.hidden_gates * direction.hidden_size),
        projection_(direction.hidden_size, has_projection() ? direction.output_size : 0),
        distinct_sums_(direction.index != nullptr ? make_buffer<T>(direction.input_rows * gate_row()) : nullptr),
        zeros_(plan.batch_sizes.front(), direction.output_size) {
    const auto take = [](Packing<T>& weights, const T* data) {
      weights.take_columns(line_addresses(data, weights.packed().columns, weights.packed().depth));
    };
    take(hidden_weights_, direction.weight_hh);
    take(projection_, direction.weight_hr);
  }

  bool first_step_first() const { return !direction_.reverse; }

  /// The weights that are to be packed.
  void collect(std::vector<Packing<T>*>& weights) {
    if (direction_.input_rows > 0) input_product_.collect(weights);
    weights.push_back(&hidden_weights_);
    weights.push_back(&projection_);
  }

  /// What several tokens have in common, once; the work of one of several workers. The direction has an index.
  void project_distinct(const Worker& worker) {
    project_input(input_product_, direction_, distinct_sums_.get(), worker);
  }

  void prepare_shared(std::size_t live) { shared_scratch_ = make_scratch(live); }

  void run(const Worker& worker, const Range& share, const Range& steps) {
    Scratch own;
    if (worker.is_alone()) own = make_scratch(plan_.live(share, steps.begin));
    const Scratch& scratch = worker.is_alone() ? own : shared_scratch_;
    Lists lists;
    Range live = steps;  // the steps that the share reaches
    while (live.size() > 0 && plan_.live(share, live.end - 1) == 0) --live.end;
    while (live.size() > 0) {
      const Range chunk = next_chunk(share, live);
      run_chunk(worker, share, chunk, scratch, lists);
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
  /// Memory that a team shares.
  struct Scratch {
    Buffer<T> sums;         // of a chunk's gates, where they are not kept
    Buffer<T> unprojected;  // of a step
  };

  /// The rows of a chunk, and of a step in it; each worker has its own lists.
  struct Lists {
    std::vector<const T*> inputs;  // or, where there is an index, the sums that they share with others
    std::vector<T*> sums;          // gate rows
    std::vector<T*> hidden_sums;   // where the hidden state's product goes, in the gate rows,
    std::vector<const T*> start;   // and, with an index, what it starts from: else from what is there
    std::vector<const T*> from;    // of a step
    std::vector<T*> to;
  };

  bool has_projection() const { return direction_.weight_hr != nullptr; }
  std::size_t gate_row() const { return cell_.gates * direction_.hidden_size; }

  /// Those that all tokens with this index start from.
  const T* sums_of(std::int32_t index) const {
    const auto row = static_cast<std::size_t>(index);
    return row < direction_.known_rows ? direction_.known_sums + row * gate_row()
                                       : distinct_sums_.get() + (row - direction_.known_rows) * gate_row();
  }

  /// With an index there is nothing to compute ahead: a chunk is a step.
  std::size_t rows_worth_a_chunk() const { return direction_.index != nullptr ? 1 : rows_per_chunk; }

  Scratch make_scratch(std::size_t live) const {
    Scratch scratch;
    const std::size_t rows = rows_worth_a_chunk() + live;
    if (direction_.gates == nullptr) scratch.sums = make_buffer<T>(rows * gate_row());
    if (has_projection()) scratch.unprojected = make_buffer<T>(live * direction_.hidden_size);
    return scratch;
  }

  /// The next steps, up to a good number of rows.
  Range next_chunk(const Range& share, const Range& steps) const {
    Range chunk = direction_.reverse ? Range{steps.end, steps.end} : Range{steps.begin, steps.begin};
    std::size_t rows = 0;
    while (chunk.size() < steps.size() && rows < rows_worth_a_chunk()) {
      rows += plan_.live(share, direction_.reverse ? --chunk.begin : chunk.end++);
    }
    return chunk;
  }

  std::size_t step_at(const Range& chunk, std::size_t i) const {
    return direction_.reverse ? chunk.end - 1 - i : chunk.begin + i;
  }

  void list_rows(const Range& share, const Range& chunk, const Scratch& scratch, Lists& lists) const {
    lists.inputs.clear();
    lists.sums.clear();
    lists.hidden_sums.clear();
    lists.start.clear();
    const std::size_t first_hidden = gate_row() - cell_.hidden_gates * direction_.hidden_size;
    for (std::size_t i = 0; i < chunk.size(); ++i) {
      const std::size_t step = step_at(chunk, i);
      for (std::size_t rank = share.begin; rank < share.begin + plan_.live(share, step); ++rank) {
        const std::size_t row = rows_.row(step, rank);
        lists.inputs.push_back(direction_.index != nullptr ? sums_of(direction_.index[row])
                                                           : direction_.input + row * direction_.input_size);
        lists.sums.push_back(direction_.gates != nullptr ? direction_.gates + row * gate_row()
                                                         : scratch.sums.get() + lists.sums.size() * gate_row());
        lists.hidden_sums.push_back(lists.sums.back() + first_hidden);
        if (direction_.index != nullptr) lists.start.push_back(lists.inputs.back() + first_hidden);
      }
    }
  }

  void run_chunk(const Worker& worker, const Range& share, const Range& chunk, const Scratch& scratch, Lists& lists) {
    list_rows(share, chunk, scratch, lists);
    if (direction_.index != nullptr) {
      copy_unadded(worker, lists);
    } else {
      input_product_.run(worker, lists.inputs, lists.sums);
      worker.wait();
    }
    std::size_t first = 0;  // of the step's rows in the chunk
    for (std::size_t i = 0; i < chunk.size(); ++i) {
      const std::size_t step = step_at(chunk, i);
      run_step(worker, share, step, first, scratch, lists);
      first += plan_.live(share, step);
    }
  }

  /// The sums that tokens share and the hidden state's product adds nothing to.
  void copy_unadded(const Worker& worker, const Lists& lists) const {
    const std::size_t count = gate_row() - cell_.hidden_gates * direction_.hidden_size;
    const Range part = worker.part_of(lists.sums.size());
    for (std::size_t i = part.begin; i < part.end; ++i) std::copy_n(lists.inputs[i], count, lists.sums[i]);
  }

  void run_step(const Worker& worker, const Range& share, std::size_t step, std::size_t first, const Scratch& scratch,
                Lists& lists) {
    const std::size_t live = plan_.live(share, step);
    lists.from.resize(live);
    for (std::size_t i = 0; i < live; ++i) lists.from[i] = rows_.h_before(step, share.begin + i);
    const PackedMatrix<T>& weights = hidden_weights_.packed();
    T* const* const sums = lists.hidden_sums.data() + first;
    const T* const* const start = direction_.index != nullptr ? lists.start.data() + first : sums;
    multiply<T>(lists.from.data(), live, weights, worker.part_of(weights.panels()), sums, start);
    worker.wait();
    const Range units = worker.part_of(direction_.hidden_size);
    const auto forward = direction_.gates != nullptr ? cell_.forward_keeping : cell_.forward;
    for (std::size_t i = 0; i < live; ++i) {
      T* const unprojected = has_projection() ? scratch.unprojected.get() + i * direction_.hidden_size : nullptr;
      forward(forward_row(step, share.begin + i, lists.sums[first + i], lists.from[i], unprojected), units);
    }
    worker.wait();
    if (has_projection()) project(worker, share, step, scratch, lists);
  }

  ForwardRow<T> forward_row(std::size_t step, std::size_t rank, T* sums, const T* h_before, T* unprojected) const {
    const std::size_t hidden = direction_.hidden_size;
    const std::size_t row = rows_.row(step, rank);
    ForwardRow<T> result = {hidden,  sums,    h_before,
                            nullptr, nullptr, unprojected != nullptr ? unprojected : rows_.output(row)};
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

  void project(const Worker& worker, const Range& share, std::size_t step, const Scratch& scratch, Lists& lists) const {
    const std::size_t live = plan_.live(share, step);
    lists.to.resize(live);
    for (std::size_t i = 0; i < live; ++i) {
      lists.from[i] = scratch.unprojected.get() + i * direction_.hidden_size;
      lists.to[i] = rows_.output(rows_.row(step, share.begin + i));
    }
    const PackedMatrix<T>& weights = projection_.packed();
    multiply<T>(lists.from.data(), live, weights, worker.part_of(weights.panels()), lists.to.data(), zeros_.rows());
    worker.wait();
  }

  Forward<T> direction_;
  CellKernels<T> cell_;
  const Plan& plan_;
  Rows<T> rows_;
  InputProduct<T> input_product_;
  Packing<T> hidden_weights_;
  Packing<T> projection_;
  Buffer<T> distinct_sums_;
  RepeatedRow<T> zeros_;
  Scratch shared_scratch_;
};

template <class T>
void run_forward(std::span<const Forward<T>> directions, const CellKernels<T>& cell, const Plan& plan,
                 const Executor& executor) {
  std::vector<ForwardPass<T>> passes;
  passes.reserve(directions.size());  // the passes hold pointers to their own members
  for (const auto& direction : directions) passes.emplace_back(direction, cell, plan);
  std::vector<Packing<T>*> weights;
  for (auto& pass : passes) pass.collect(weights);
  pack<T>(weights, plan.team, executor);
  if (directions.front().index != nullptr && directions.front().input_rows > 0) {
    executor(plan.team, [&](std::size_t begin, std::size_t end) {
      for (auto& pass : passes) pass.project_distinct(Worker({begin, end}, plan.team));
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
