#include "packseq/sequence/reverse.hpp"

#include "packseq/sequence/map.hpp"
#include "sequence/layout.hpp"
#include "sequence/position.hpp"

namespace packseq {

PackedSequence reverse(const PackedSequence& packed) {
  const auto layout = detail::checked_layout("reverse", packed);
  const detail::PackedPosition position(layout);
  const at::Tensor rows = detail::rows_in_packed_order(layout, [&](std::int64_t sequence, std::int64_t step) {
    return position(sequence, layout.lengths[static_cast<std::size_t>(sequence)] - 1 - step);
  });
  return with_data(packed, detail::select_rows(packed.data(), rows));
}

}  // namespace packseq
