#include "packseq/sequence/pack.hpp"

#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <utility>

#include "sequence/check.hpp"
#include "sequence/layout.hpp"
#include "sequence/padded.hpp"

namespace packseq {

using detail::JaggedPosition;
using detail::PaddedPosition;

PackedSequence pack_sequence(const Jagged& sequences, const PackSequenceOptions& options) {
  const auto layout = detail::make_layout(detail::checked_lengths("pack_sequence", "lengths", sequences.lengths()));
  const at::Tensor rows = detail::rows_in_packed_order(layout, JaggedPosition(layout.lengths));
  at::Tensor data = sequences.values().index_select(0, rows.to(sequences.values().device()));
  return detail::make_packed("pack_sequence", layout, std::move(data), options.enforce_sorted);
}

PackedSequence pack_padded_sequence(const at::Tensor& input, const at::Tensor& lengths,
                                    const PackPaddedSequenceOptions& options) {
  const auto layout = detail::make_layout(
      detail::checked_lengths_of("pack_padded_sequence", "input", input, options.batch_first, lengths));
  const PaddedPosition position{options.batch_first, input.size(options.batch_first ? 0 : 1),
                                input.size(options.batch_first ? 1 : 0)};
  at::Tensor data = detail::gather_padded(input, detail::rows_in_packed_order(layout, position));
  return detail::make_packed("pack_padded_sequence", layout, std::move(data), options.enforce_sorted);
}

std::tuple<at::Tensor, at::Tensor> pad_packed_sequence(const PackedSequence& packed,
                                                       const PadPackedSequenceOptions& options) {
  const auto layout = detail::checked_layout("pad_packed_sequence", packed);
  detail::check_padding_value("pad_packed_sequence", options.padding_value, packed.data().scalar_type());
  const std::int64_t longest = layout.lengths[static_cast<std::size_t>(layout.order.front())];
  const std::int64_t total_length = options.total_length.value_or(longest);
  TORCH_CHECK_VALUE(total_length >= longest, "pad_packed_sequence: total_length is ", total_length,
                    ", and must be at least ", longest, ", the length of the longest sequence");
  const PaddedPosition position{options.batch_first, static_cast<std::int64_t>(layout.lengths.size()), total_length};
  at::Tensor padded = detail::scatter_padded(packed.data(), detail::rows_in_packed_order(layout, position), position,
                                             options.padding_value);
  return {std::move(padded), detail::to_tensor(layout.lengths)};
}

Jagged unpack_sequence(const PackedSequence& packed) {
  const auto layout = detail::checked_layout("unpack_sequence", packed);
  const at::Tensor rows = detail::rows_in_packed_order(layout, JaggedPosition(layout.lengths));
  const at::Tensor& data = packed.data();
  at::Tensor values =
      at::empty(data.sizes(), data.options().requires_grad(false)).index_copy(0, rows.to(data.device()), data);
  return Jagged::from_values(std::move(values), detail::to_tensor(layout.lengths));
}

at::Tensor lengths(const PackedSequence& packed) {
  return detail::to_tensor(detail::checked_layout("lengths", packed).lengths);
}

}  // namespace packseq
