#include "data/nothing_to_learn.hpp"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <limits>

namespace packseq::data::detail {
namespace {

/// One document of no rows.
Jagged without_tokens(const Jagged& like) {
  return Jagged::from_values(like.values().slice(0, 0, 0).clone(), at::zeros({1}, at::kLong));
}

at::Tensor label_to_ignore(const at::Tensor& like) {
  if (!like.defined()) return {};
  const auto dtype = like.scalar_type();
  auto sizes = like.sizes().vec();
  sizes[0] = 1;
  const bool is_float4 = dtype == at::ScalarType::Float4_e2m1fn_x2;  // holds no NaN
  if ((c10::isFloatingType(dtype) && !is_float4) || c10::isComplexType(dtype)) {
    return at::full(sizes, std::numeric_limits<double>::quiet_NaN(), like.options());
  }
  if (c10::isIntegralType(dtype, /*includeBool=*/true) && c10::isSignedType(dtype)) {
    return at::full(sizes, ignored_label, like.options());
  }
  return at::zeros(sizes, like.options());
}

}  // namespace

Documents nothing_to_learn(const Documents& like) {
  Documents nothing{.sequences = without_tokens(like.sequences),
                    .labels = label_to_ignore(like.labels),
                    .documents = at::full({1}, -1, at::kLong)};
  if (like.token_labels) nothing.token_labels = without_tokens(*like.token_labels);
  for (const Jagged& feature : like.features) nothing.features.push_back(without_tokens(feature));
  return nothing;
}

}  // namespace packseq::data::detail
