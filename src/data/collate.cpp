#include "packseq/data/collate.hpp"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "data/check_documents.hpp"
#include "packseq/sequence/map.hpp"
#include "sequence/check.hpp"
#include "sequence/layout.hpp"
#include "sequence/position.hpp"

namespace packseq::data {
namespace {

using packseq::detail::checked_lengths;
using packseq::detail::JaggedPosition;
using packseq::detail::make_layout;
using packseq::detail::rows_in_packed_order;
using packseq::detail::select_rows;

/// All but what is to be learnt of the tokens, whose `rows` among the values are in the order of the layout.
PackedBatch packed(const char* function, const Documents& documents, const packseq::detail::Layout& layout,
                   const at::Tensor& rows) {
  at::Tensor data = select_rows(documents.sequences.values(), rows);
  PackedBatch batch{.input = packseq::detail::make_packed(function, layout, std::move(data), false),
                    .target = documents.labels,
                    .documents = documents.documents};
  for (const Jagged& feature : documents.features) {
    batch.features.push_back(with_data(batch.input, select_rows(feature.values(), rows)));
  }
  return batch;
}

/// LibTorch fills no cells of bits, nor of float4.
void check_number(const detail::PartName& name, c10::ScalarType dtype) {
  const bool is_number = c10::isIntegralType(dtype, /*includeBool=*/true) || c10::isComplexType(dtype) ||
                         (c10::isFloatingType(dtype) && dtype != at::ScalarType::Float4_e2m1fn_x2);
  TORCH_CHECK_TYPE(is_number, "Pad: ", name, " is ", dtype,
                   ", which no number can pad: Pack it, or take another dtype");
}

/// Refuses what has no number to pad it with. That of the sequences is the caller's.
void check_paddable(const Documents& documents) {
  check_number({"sequences"}, documents.sequences.values().scalar_type());
  detail::for_each_part(documents, [](const Jagged& part, const detail::PartName& name) {
    const auto dtype = part.values().scalar_type();
    check_number(name, dtype);
    TORCH_CHECK_TYPE(dtype != at::ScalarType::Float8_e8m0fnu, "Pad: ", name, " is ", dtype,
                     ", which has no 0 to pad with: Pack it, or take another dtype");
  });
}

c10::Scalar padding_label(c10::ScalarType dtype) {
  return c10::isIntegralType(dtype, /*includeBool=*/false) && c10::isSignedType(dtype) ? ignored_label : 0;
}

}  // namespace

PackedBatch Pack::apply_batch(Documents documents) {
  detail::check_documents("Pack", documents);
  const auto layout = make_layout("Pack", checked_lengths("Pack", documents.sequences));
  const at::Tensor rows = rows_in_packed_order(layout, JaggedPosition(layout.lengths));
  auto batch = packed("Pack", documents, layout, rows);
  if (documents.token_labels) {
    batch.token_target = with_data(batch.input, select_rows(documents.token_labels->values(), rows));
  }
  return batch;
}

PaddedBatch Pad::apply_batch(Documents documents) {
  detail::check_documents("Pad", documents);
  check_paddable(documents);
  PaddedBatch batch{.input = pad_sequence(documents.sequences, {.batch_first = true, .padding_value = padding_value_}),
                    .lengths = documents.sequences.lengths(),
                    .target = documents.labels,
                    .documents = documents.documents};
  if (const auto& labels = documents.token_labels) {
    const auto padding = padding_label(labels->values().scalar_type());
    batch.token_target = pad_sequence(*labels, {.batch_first = true, .padding_value = padding});
  }
  for (const Jagged& feature : documents.features) {
    batch.features.push_back(pad_sequence(feature, {.batch_first = true}));
  }
  return batch;
}

PackedBatch PackNextToken::apply_batch(Documents documents) {
  detail::check_documents("PackNextToken", documents);
  TORCH_CHECK_VALUE(!documents.token_labels,
                    "PackNextToken: token_labels is set, but what is to be learnt of each token is the next one: use "
                    "Pack, or put them among the features");
  const auto lengths = checked_lengths("PackNextToken", documents.sequences);
  auto predicted = lengths;
  for (std::int64_t& count : predicted) count = std::max<std::int64_t>(count - 1, 0);
  // The layout of the shorter documents, with the places that the longer ones have among the values.
  const auto layout = make_layout("PackNextToken", std::move(predicted));
  const at::Tensor rows = rows_in_packed_order(layout, JaggedPosition(lengths));
  auto batch = packed("PackNextToken", documents, layout, rows);
  batch.token_target = with_data(batch.input, select_rows(documents.sequences.values(), rows.add(1)));
  return batch;
}

}  // namespace packseq::data
