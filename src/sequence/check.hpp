#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace packseq::detail {

/// The entries of a tensor of lengths, once it is known to be int64 [B] on the CPU, B > 0, without a negative one.
std::vector<std::int64_t> checked_lengths(const char* function, const char* argument, const at::Tensor& lengths);

/// The entries of `lengths`, once they are known to fit the padded batch `padded`, [B, T, *] or [T, B, *].
std::vector<std::int64_t> checked_lengths_of(const char* function, const char* argument, const at::Tensor& padded,
                                             bool batch_first, const at::Tensor& lengths);

/// Refuses entries, none of them negative, whose sum is not `rows`, the number of rows of `owner`.
void check_sum(const char* function, const char* argument, const std::vector<std::int64_t>& entries, const char* owner,
               std::int64_t rows);

/// Refuses a tensor that is undefined or a scalar: it has no rows.
void check_has_rows(const char* function, const char* argument, const at::Tensor& tensor);

/// Refuses a padding value that `dtype` cannot hold.
void check_padding_value(const char* function, const c10::Scalar& value, c10::ScalarType dtype);

}  // namespace packseq::detail
