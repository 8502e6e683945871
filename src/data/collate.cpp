#include "packseq/data/collate.hpp"

#include <algorithm>
#include <utility>

#include "sequence/check.hpp"
#include "sequence/layout.hpp"
#include "sequence/position.hpp"

namespace packseq::data {

PackedBatch Pack::apply_batch(Documents documents) {
  return {pack_sequence(documents.ids), std::move(documents.labels)};
}

PaddedBatch Pad::apply_batch(Documents documents) {
  at::Tensor input = pad_sequence(documents.ids, {.batch_first = true, .padding_value = padding_id_});
  return {std::move(input), documents.ids.lengths(), std::move(documents.labels)};
}

NextTokenBatch PackNextToken::apply_batch(Documents documents) {
  const auto lengths = packseq::detail::checked_lengths("PackNextToken", documents.ids);
  auto predicted = lengths;
  for (std::int64_t& count : predicted) count = std::max<std::int64_t>(count - 1, 0);
  // The layout of the shorter documents, with the places that the longer ones have among the values.
  const auto layout = packseq::detail::make_layout("PackNextToken", std::move(predicted));
  const at::Tensor rows = packseq::detail::rows_in_packed_order(layout, packseq::detail::JaggedPosition(lengths));
  const auto packed = [&](const at::Tensor& of) {
    return packseq::detail::make_packed("PackNextToken", layout,
                                        packseq::detail::select_rows(documents.ids.values(), of), false);
  };
  return {packed(rows), packed(rows.add(1))};
}

}  // namespace packseq::data
