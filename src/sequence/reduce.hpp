#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Scalar.h>

#include <cstdint>
#include <span>

namespace packseq::detail {

/// Which document each row of a packed batch's data belongs to, by its rank among those that are not empty, longest
/// first: int64 [N] on the CPU.
at::Tensor ranks_of_tokens(std::span<const std::int64_t> batch_sizes);

/// The sum of `data` [N, *] over each document that is not empty, longest first.
at::Tensor sums(std::span<const std::int64_t> batch_sizes, const at::Tensor& data);

/// Likewise the largest; where they are as large as `initial`, that takes part in the gradient as one of them.
at::Tensor largest(std::span<const std::int64_t> batch_sizes, const at::Tensor& data, const c10::Scalar& initial);

}  // namespace packseq::detail
