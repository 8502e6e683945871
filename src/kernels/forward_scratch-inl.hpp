// What a forward pass computes with besides its direction's numbers. Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_FORWARD_SCRATCH_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_FORWARD_SCRATCH_INL
#undef PACKSEQ_KERNELS_FORWARD_SCRATCH_INL
#else
#define PACKSEQ_KERNELS_FORWARD_SCRATCH_INL
#endif

#include <algorithm>
#include <cstddef>

#include "kernels/arena.hpp"
#include "kernels/input_product-inl.hpp"
#include "kernels/passes.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {

/// With an index there is nothing to compute ahead: a chunk is a step.
template <class T>
std::size_t rows_worth_a_chunk(const Forward<T>& direction) {
  return direction.index != nullptr ? 1 : rows_per_chunk;
}

/// Numbers, which a team has in common.
template <class T>
struct ForwardSums {
  Computed<T>* gates;      // of a chunk, where they are not kept
  T* unprojected;          // of a step
  Computed<T>* projected;  // likewise, where the output cannot hold it
};

/// The rows of a chunk, and of a step in it; each worker has its own lists.
template <class T>
struct ForwardLists {
  const T** inputs;           // where there is no index
  Computed<T>** sums;         // gate rows
  Computed<T>** hidden_sums;  // where the hidden state's product goes, in the gate rows,
  const Computed<T>** start;  // and what it starts from: that, or, with an index, sums that tokens share
  const T** from;             // of a step
  Computed<T>** to;
  RowsInForm<T> inputs_in_form;
  RowsInForm<T> from_in_form;
};

/// What a worker has.
template <class T>
struct ForwardScratch {
  ForwardSums<T> sums;
  ForwardLists<T> lists;
};

/// Takes it, for at most `live` sequences: a chunk ends with the step in which it gets enough rows.
template <class T>
struct ForwardMemory {
  Arena& arena;
  const Forward<T>& direction;
  std::size_t gate_row;

  std::size_t rows(std::size_t live) const { return rows_worth_a_chunk(direction) + live; }

  ForwardSums<T> sums(std::size_t live) const {
    const bool projects = direction.weight_hr != nullptr;
    return {arena.take<Computed<T>>(direction.gates == nullptr ? rows(live) * gate_row : 0),
            arena.take<T>(projects ? live * direction.hidden_size : 0),
            arena.take<Computed<T>>(projects && is_narrow<T> ? live * direction.output_size : 0)};
  }
  ForwardLists<T> lists(std::size_t live) const {
    const Format format = format_of<T>(direction.precision);
    return {arena.take<const T*>(rows(live)),
            arena.take<Computed<T>*>(rows(live)),
            arena.take<Computed<T>*>(rows(live)),
            arena.take<const Computed<T>*>(rows(live)),
            arena.take<const T*>(live),
            arena.take<Computed<T>*>(live),
            {arena, format, direction.index != nullptr ? 0 : rows(live), direction.input_size},
            {arena, format, live, std::max(direction.hidden_size, direction.output_size)}};
  }
};

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
