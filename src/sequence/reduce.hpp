#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Scalar.h>

#include <cstdint>
#include <span>

namespace packseq::detail {

/// Which document each row of a packed batch's data belongs to, by its rank among those that are not empty, longest
/// first: int64 [N] on the CPU.
at::Tensor ranks_of_tokens(std::span<const std::int64_t> batch_sizes);

/// Reduces `data` [N, *] to a row for each document that is not empty, longest first, from rows of `initial`, which is
/// not included.
at::Tensor reduce(std::span<const std::int64_t> batch_sizes, const at::Tensor& data, const char* reduction,
                  const c10::Scalar& initial);

}  // namespace packseq::detail
