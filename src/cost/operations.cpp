#include "packseq/cost/operations.hpp"

#include <c10/util/Exception.h>

#include "cost/count.hpp"
#include "sequence/check.hpp"

namespace packseq::cost {

Operations matrix_product(const at::Tensor& row_lengths, std::int64_t columns) {
  const auto lengths = packseq::detail::checked_lengths("matrix_product", "row_lengths", row_lengths);
  TORCH_CHECK_VALUE(columns >= 0, "matrix_product: columns is ", columns, ", and must not be negative");
  detail::Count multiplications = 0;
  detail::Count additions = 0;
  for (const std::int64_t length : lengths) {
    multiplications = multiplications + detail::Count(length) * columns;
    if (length > 0) additions = additions + detail::Count(length - 1) * columns;
  }
  return {multiplications.checked("matrix_product"), additions.checked("matrix_product")};
}

}  // namespace packseq::cost
