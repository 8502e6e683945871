#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "packseq/export.hpp"

namespace packseq::cost {

/// Scalar operations, counted apart.
struct Operations {
  std::int64_t multiplications = 0;  ///< Of two numbers each.
  std::int64_t additions = 0;        ///< Likewise.
};

/// Operations of a product of a matrix whose row i has `row_lengths[i]` real cells with a matrix of `columns`
/// columns.
///
/// A row of L cells takes L multiplications and L - 1 additions per column (none at all if it is empty).
/// `row_lengths` is int64 [B] on the CPU.
/// @throws c10::TypeError if `row_lengths` is not int64 on the CPU.
/// @throws c10::ValueError if `row_lengths` is not of one dimension, is empty, or has a negative entry.
/// @throws c10::ValueError if `columns` is negative.
/// @throws c10::ValueError if a count is 2^63 or more.
/// @code
/// packseq::cost::matrix_product(torch::tensor({3, 3, 3}));   // padded: 9 multiplications, 6 additions
/// packseq::cost::matrix_product(torch::tensor({3, 2, 1}));   // packed: 6 and 3
/// @endcode
PACKSEQ_EXPORT Operations matrix_product(const at::Tensor& row_lengths, std::int64_t columns = 1);

}  // namespace packseq::cost
