#pragma once

#include <ATen/core/Tensor.h>

namespace packseq::detail {

/// Whether somebody is told of every operation: a dispatch mode of Python's, or a tracer.
bool is_watched();

/// Whether a tensor is nothing but elements in the CPU's memory, but for autograd's gradients: no view that negates or
/// conjugates, no wrapper such as functorch's, no forward-mode gradient.
bool is_plain(const at::Tensor& tensor);

/// Whether tensors can be copied byte by byte: plain, each in one piece, without gradients, and nobody is told.
bool are_copyable(at::TensorList tensors);

}  // namespace packseq::detail
