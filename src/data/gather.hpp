#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>

#include "packseq/sequence/jagged.hpp"

namespace packseq::data::detail {

/// These sequences, in this order.
Jagged gather(const Jagged& sequences, at::ArrayRef<std::size_t> indices);

/// These rows, in this order; undefined if `rows` is.
at::Tensor gather(const at::Tensor& rows, at::ArrayRef<std::size_t> indices);

}  // namespace packseq::data::detail
