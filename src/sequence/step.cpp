#include "packseq/sequence/step.hpp"

#include <ATen/ops/cat.h>
#include <c10/util/Exception.h>

#include "sequence/layout.hpp"
#include "sequence/position.hpp"

namespace packseq {
namespace {

at::Tensor first_rows(const detail::Layout& layout, const at::Tensor& data) {
  return data.narrow(0, 0, layout.batch_sizes.front());
}

at::Tensor last_rows(const detail::Layout& layout, const at::Tensor& data) {
  const detail::PackedPosition position(layout);
  std::vector<std::int64_t> rows;
  for (std::int64_t rank = 0; rank < layout.batch_sizes.front(); ++rank) {
    const std::int64_t sequence = layout.order[static_cast<std::size_t>(rank)];
    rows.push_back(position(sequence, layout.lengths[static_cast<std::size_t>(sequence)] - 1));
  }
  return detail::select_rows(data, detail::to_tensor(rows));
}

}  // namespace

at::Tensor first_step(const PackedSequence& packed) {
  const auto layout = detail::checked_layout("first_step", packed);
  return detail::in_callers_order(layout, first_rows(layout, packed.data()));
}

at::Tensor last_step(const PackedSequence& packed, const LastStepOptions& options) {
  const auto layout = detail::checked_layout("last_step", packed);
  const at::Tensor& data = packed.data();
  if (!options.bidirectional) return detail::in_callers_order(layout, last_rows(layout, data));
  TORCH_CHECK_VALUE(data.dim() >= 2 && data.size(-1) % 2 == 0, "last_step: bidirectional is set, but data has sizes ",
                    data.sizes(), ", and must be [N, *, 2 P]: one half for each direction");
  const std::int64_t half = data.size(-1) / 2;
  const at::Tensor forward = last_rows(layout, data.narrow(-1, 0, half));
  const at::Tensor reverse = first_rows(layout, data.narrow(-1, half, half));
  return detail::in_callers_order(layout, at::cat({forward, reverse}, -1));
}

}  // namespace packseq
