#pragma once

#include <ATen/core/Tensor.h>

#include "sequence/layout.hpp"

namespace packseq::detail {

/// The rows of `padded`, its first two dimensions flattened, that `rows` names: [N, *].
at::Tensor gather_padded(const at::Tensor& padded, const at::Tensor& rows);

/// A padded batch with `values` [N, *] at these rows and `padding_value` elsewhere.
at::Tensor scatter_padded(const at::Tensor& values, const at::Tensor& rows, const PaddedPosition& shape,
                          const c10::Scalar& padding_value);

}  // namespace packseq::detail
