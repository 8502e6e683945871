#include "packseq/sequence/pad.hpp"

#include "sequence/check.hpp"
#include "sequence/padded.hpp"
#include "sequence/position.hpp"

namespace packseq {

using detail::PaddedPosition;

at::Tensor pad_sequence(const Jagged& sequences, const PadOptions& options) {
  const auto lengths = detail::checked_lengths("pad_sequence", sequences);
  detail::PaddedBatch batch("pad_sequence", options, lengths, sequences.values());
  const at::Tensor rows = detail::rows_in_jagged_order(lengths, PaddedPosition(batch.shape(), lengths));
  return std::move(batch).with(sequences.values(), rows);
}

at::Tensor pad_sequence(const std::vector<at::Tensor>& sequences, const PadOptions& options) {
  const auto lengths = detail::checked_lengths("pad_sequence", sequences);
  detail::PaddedBatch batch("pad_sequence", options, lengths, sequences.front());
  const at::Tensor rows = detail::rows_in_jagged_order(lengths, PaddedPosition(batch.shape(), lengths));
  return std::move(batch).with(at::TensorList(sequences), rows);
}

Jagged unpad_sequence(const at::Tensor& padded, const at::Tensor& lengths, const UnpadOptions& options) {
  const auto entries = detail::checked_lengths_of("unpad_sequence", "padded", padded, options.batch_first, lengths);
  const at::Tensor rows =
      detail::rows_in_jagged_order(entries, PaddedPosition(detail::shape_of(padded, options), entries));
  return Jagged::from_values(detail::gather_padded(padded, rows), lengths);
}

}  // namespace packseq
