#include "packseq/sequence/pack.hpp"

#include <c10/util/Exception.h>

#include <utility>

#include "sequence/check.hpp"
#include "sequence/layout.hpp"
#include "sequence/padded.hpp"
#include "sequence/place.hpp"
#include "sequence/position.hpp"

namespace packseq {

using detail::JaggedPosition;
using detail::PackedPosition;
using detail::PaddedPosition;

PackedSequence pack_sequence(const Jagged& sequences, const PackSequenceOptions& options) {
  const auto layout = detail::make_layout("pack_sequence", detail::checked_lengths("pack_sequence", sequences));
  const at::Tensor rows = detail::rows_in_packed_order(layout, JaggedPosition(layout.lengths));
  at::Tensor data = detail::select_rows(sequences.values(), rows);
  return detail::make_packed("pack_sequence", layout, std::move(data), options.enforce_sorted);
}

PackedSequence pack_sequence(const std::vector<at::Tensor>& sequences, const PackSequenceOptions& options) {
  const auto layout = detail::make_layout("pack_sequence", detail::checked_lengths("pack_sequence", sequences));
  const at::Tensor rows = detail::rows_in_jagged_order(layout.lengths, PackedPosition(layout));
  auto sizes = sequences.front().sizes().vec();
  sizes[0] = rows.size(0);
  at::Tensor data = sequences.front().new_empty(sizes);
  detail::place(sequences, rows, data);
  return detail::make_packed("pack_sequence", layout, std::move(data), options.enforce_sorted);
}

PackedSequence pack_padded_sequence(const at::Tensor& input, const at::Tensor& lengths,
                                    const PackPaddedSequenceOptions& options) {
  const auto layout = detail::make_layout(
      "pack_padded_sequence",
      detail::checked_lengths_of("pack_padded_sequence", "input", input, options.batch_first, lengths));
  const auto shape = detail::shape_of(input, {options.batch_first, options.padding_side});
  const at::Tensor rows = detail::rows_in_packed_order(layout, PaddedPosition(shape, layout.lengths));
  return detail::make_packed("pack_padded_sequence", layout, detail::gather_padded(input, rows),
                             options.enforce_sorted);
}

std::tuple<at::Tensor, at::Tensor> pad_packed_sequence(const PackedSequence& packed, const PadOptions& options) {
  const auto layout = detail::checked_layout("pad_packed_sequence", packed);
  detail::PaddedBatch batch("pad_packed_sequence", options, layout.lengths, packed.data());
  const at::Tensor rows = detail::rows_in_packed_order(layout, PaddedPosition(batch.shape(), layout.lengths));
  return {std::move(batch).with(packed.data(), rows), detail::to_tensor(layout.lengths)};
}

Jagged unpack_sequence(const PackedSequence& packed) {
  const auto layout = detail::checked_layout("unpack_sequence", packed);
  const at::Tensor rows = detail::rows_in_jagged_order(layout.lengths, PackedPosition(layout));
  return Jagged::from_values(detail::select_rows(packed.data(), rows), detail::to_tensor(layout.lengths));
}

at::Tensor lengths(const PackedSequence& packed) {
  return detail::to_tensor(detail::checked_layout("lengths", packed).lengths);
}

}  // namespace packseq
