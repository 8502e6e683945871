#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace packseq::engine {

/// `rows.index_select(dim, index)`, with gradients that are added up in the kernels: those of bfloat16 in float, since
/// a sum of many like numbers would stop growing. `index` is int32 [N]; dimensions before `dim` have size 1.
at::Tensor select_rows(const at::Tensor& rows, std::int64_t dim, const at::Tensor& index);

}  // namespace packseq::engine
