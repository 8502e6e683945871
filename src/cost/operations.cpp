#include "packseq/cost/operations.hpp"

#include <c10/util/Exception.h>

#include "sequence/check.hpp"

namespace packseq::cost {

Operations matrix_product(const at::Tensor& row_lengths, std::int64_t columns) {
  const auto lengths = packseq::detail::checked_lengths("matrix_product", "row_lengths", row_lengths);
  TORCH_CHECK_VALUE(columns >= 0, "matrix_product: columns is ", columns, ", and must not be negative");
  Operations operations;
  for (const std::int64_t length : lengths) {
    operations.multiplications += length * columns;
    if (length > 0) operations.additions += (length - 1) * columns;
  }
  return operations;
}

}  // namespace packseq::cost
