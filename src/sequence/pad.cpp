#include "packseq/sequence/pad.hpp"

#include <ATen/ops/full.h>

#include <algorithm>

#include "sequence/check.hpp"
#include "sequence/padded.hpp"

namespace packseq {
namespace detail {

at::Tensor gather_padded(const at::Tensor& padded, const at::Tensor& rows) {
  return padded.flatten(0, 1).index_select(0, rows.to(padded.device()));
}

at::Tensor scatter_padded(const at::Tensor& values, const at::Tensor& rows, const PaddedPosition& shape,
                          const c10::Scalar& padding_value) {
  auto sizes = values.sizes().vec();
  sizes[0] = shape.batch * shape.steps;
  const at::Tensor cells = at::full(sizes, padding_value, values.options().requires_grad(false))
                               .index_copy(0, rows.to(values.device()), values);
  sizes[0] = shape.batch_first ? shape.batch : shape.steps;
  sizes.insert(sizes.begin() + 1, shape.batch_first ? shape.steps : shape.batch);
  return cells.view(sizes);
}

}  // namespace detail

at::Tensor pad_sequence(const Jagged& sequences, const PadSequenceOptions& options) {
  detail::check_padding_value("pad_sequence", options.padding_value, sequences.values().scalar_type());
  const auto lengths = detail::checked_lengths("pad_sequence", "lengths", sequences.lengths());
  const detail::PaddedPosition position{options.batch_first, sequences.size(),
                                        *std::max_element(lengths.begin(), lengths.end())};
  return detail::scatter_padded(sequences.values(), detail::rows_in_jagged_order(lengths, position), position,
                                options.padding_value);
}

Jagged unpad_sequence(const at::Tensor& padded, const at::Tensor& lengths, const UnpadSequenceOptions& options) {
  const auto entries = detail::checked_lengths_of("unpad_sequence", "padded", padded, options.batch_first, lengths);
  const detail::PaddedPosition position{options.batch_first, padded.size(options.batch_first ? 0 : 1),
                                        padded.size(options.batch_first ? 1 : 0)};
  return Jagged::from_values(detail::gather_padded(padded, detail::rows_in_jagged_order(entries, position)), lengths);
}

}  // namespace packseq
