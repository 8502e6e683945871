#pragma once

#include <ATen/core/Tensor.h>

namespace packseq::detail {

/// Whether tensors can be copied byte by byte, being nothing but elements in memory that nobody watches: no gradient,
/// no view that negates or conjugates, no wrapper such as functorch's, nobody who records what is done.
bool are_plain(at::TensorList tensors);

/// Writes `values` [N, *] to these rows of `out`, which nobody else has seen; `rows` is int64 [N] on the CPU, no row
/// twice.
void place(const at::Tensor& values, const at::Tensor& rows, at::Tensor& out);

/// The same for sequences, each [L_i, *], without putting them end to end first where that can be avoided.
void place(at::TensorList sequences, const at::Tensor& rows, at::Tensor& out);

}  // namespace packseq::detail
