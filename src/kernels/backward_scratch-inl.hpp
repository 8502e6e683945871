// What a backward pass computes with besides its direction's numbers. Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_BACKWARD_SCRATCH_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_BACKWARD_SCRATCH_INL
#undef PACKSEQ_KERNELS_BACKWARD_SCRATCH_INL
#else
#define PACKSEQ_KERNELS_BACKWARD_SCRATCH_INL
#endif

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "kernels/layer-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {

/// What a worker has for a step.
template <class T>
struct BackwardScratch {
  Computed<T>* d_unprojected;  // which a team has in common,
  Computed<T>* sums;           // and these, too
  const Computed<T>** from;
  Computed<T>** to;
  RowsInForm<Computed<T>> in_form;
};

/// What all workers have, in all parts, which run one after the other.
template <class T>
struct BackwardMemory {
  std::vector<BackwardScratch<T>> dealt;  // of each share
  std::vector<BackwardScratch<T>> team;   // of each member
};

/// Takes it. `sums_width` is that of the gate gradients that the hidden state has a part in.
template <class T>
BackwardMemory<T> take_memory(Arena& arena, const Backward<T>& direction, std::span<const Plan> parts,
                              std::size_t sums_width) {
  std::size_t members = 0;
  std::size_t shared = 0;  // rows, at most
  std::vector<std::size_t> dealt;
  for (const Plan& part : parts) {
    members = std::max(members, part.team);
    for (const Range& steps : {part.first_shared_steps(), part.last_shared_steps()}) {
      shared = std::max(shared, part.most_rows({0, part.path_count}, steps));
    }
    dealt.resize(std::max(dealt.size(), part.shares.size()));
    for (std::size_t i = 0; i < part.shares.size(); ++i) {
      dealt[i] = std::max(dealt[i], part.most_rows(part.shares[i], part.dealt));
    }
  }
  const bool has_trie = parts.front().has_trie();
  const auto unprojected = [&](std::size_t live) {
    return arena.take<Computed<T>>(direction.weight_hr != nullptr ? live * direction.hidden_size : 0);
  };
  // Two rows or more have a sum.
  const auto sums = [&](std::size_t live) {
    return arena.take<Computed<T>>(has_trie ? live / 2 * spread_stride<Computed<T>>(sums_width) : 0);
  };
  const auto take = [&](std::size_t live, Computed<T>* d_unprojected, Computed<T>* of_siblings) {
    const std::size_t width = std::max(sums_width, direction.output_size);
    return BackwardScratch<T>{d_unprojected,
                              of_siblings,
                              arena.take<const Computed<T>*>(live),
                              arena.take<Computed<T>*>(live),
                              {arena, format_of<T>(direction.precision), live, width}};
  };
  BackwardMemory<T> memory;
  for (const std::size_t live : dealt) memory.dealt.push_back(take(live, unprojected(live), sums(live)));
  if (shared == 0) return memory;
  Computed<T>* const d_unprojected = unprojected(shared);
  Computed<T>* const of_siblings = sums(shared);
  for (std::size_t i = 0; i < members; ++i) memory.team.push_back(take(shared, d_unprojected, of_siblings));
  return memory;
}

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
