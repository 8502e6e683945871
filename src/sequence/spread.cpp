#include "packseq/sequence/spread.hpp"

#include <c10/util/Exception.h>

#include "packseq/sequence/map.hpp"
#include "sequence/check.hpp"
#include "sequence/layout.hpp"
#include "sequence/position.hpp"

namespace packseq {

PackedSequence spread(const PackedSequence& packed, const at::Tensor& rows) {
  const auto layout = detail::checked_layout("spread", packed);
  detail::check_has_rows("spread", "rows", rows);
  TORCH_CHECK_VALUE(rows.size(0) == static_cast<std::int64_t>(layout.order.size()), "spread: rows has ", rows.size(0),
                    " rows, but the packed batch has ", layout.order.size(), " documents");
  TORCH_CHECK_TYPE(rows.device() == packed.data().device(), "spread: rows is on ", rows.device(),
                   ", but the packed batch is on ", packed.data().device());
  const at::Tensor documents =
      detail::rows_in_packed_order(layout, [](std::int64_t sequence, std::int64_t /*step*/) { return sequence; });
  return with_data(packed, detail::select_rows(rows, documents));
}

PackedSequence pack_like(const PackedSequence& packed, const Jagged& sequences) {
  const auto layout = detail::checked_layout("pack_like", packed);
  const auto lengths = detail::checked_lengths("pack_like", sequences);
  TORCH_CHECK_VALUE(lengths.size() == layout.lengths.size(), "pack_like: sequences are ", lengths.size(),
                    ", but the packed batch has ", layout.lengths.size(), " documents");
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    TORCH_CHECK_VALUE(lengths[i] == layout.lengths[i], "pack_like: sequences[", i, "] has length ", lengths[i],
                      ", but document ", i, " of the packed batch has ", layout.lengths[i]);
  }
  TORCH_CHECK_TYPE(sequences.values().device() == packed.data().device(), "pack_like: sequences are on ",
                   sequences.values().device(), ", but the packed batch is on ", packed.data().device());
  const at::Tensor rows = detail::rows_in_packed_order(layout, detail::JaggedPosition(lengths));
  return with_data(packed, detail::select_rows(sequences.values(), rows));
}

}  // namespace packseq
