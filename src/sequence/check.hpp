#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "packseq/sequence/jagged.hpp"

namespace packseq::detail {

/// Refuses a tensor that is undefined or a scalar, which has no rows, or that is not dense.
void check_has_rows(const char* function, const char* argument, const at::Tensor& tensor);

/// The entries of a tensor of lengths, once it is known to be int64 [B] on the CPU, B > 0, without a negative one.
std::vector<std::int64_t> checked_lengths(const char* function, const char* argument, const at::Tensor& lengths);

/// The lengths of sequences, once they are known to fit end to end into one tensor, and not to be none.
std::vector<std::int64_t> checked_lengths(const char* function, const std::vector<at::Tensor>& sequences);

/// The lengths of sequences, once they are known to be those of their values still: both tensors can be changed in
/// place.
std::vector<std::int64_t> checked_lengths(const char* function, const Jagged& sequences);

/// The entries of `lengths`, once they are known to fit the padded batch `padded`, [B, T, *] or [T, B, *].
std::vector<std::int64_t> checked_lengths_of(const char* function, const char* argument, const at::Tensor& padded,
                                             bool batch_first, const at::Tensor& lengths);

/// Refuses entries, none of them negative, whose sum is not `rows`, the number of rows of `owner`.
void check_sum(const char* function, const char* argument, const std::vector<std::int64_t>& entries, const char* owner,
               std::int64_t rows);

/// The entries of a packed batch's `batch_sizes`, once they are known to be int64 [T], T > 0, never increasing, and to
/// have the sum `rows`, the rows of data. Steps without tokens may stand at the end.
std::vector<std::int64_t> checked_batch_sizes(const char* function, const at::Tensor& batch_sizes, std::int64_t rows);

/// Refuses a padding value that `dtype` cannot hold exactly (src/sequence/padding_value.cpp).
void check_padding_value(const char* function, const c10::Scalar& value, c10::ScalarType dtype);

}  // namespace packseq::detail
