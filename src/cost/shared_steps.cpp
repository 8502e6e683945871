#include "packseq/cost/shared_steps.hpp"

#include <c10/util/Exception.h>

#include "sequence/beginnings.hpp"
#include "sequence/layout.hpp"

namespace packseq::cost {

at::Tensor shared_steps(const PackedSequence& ids) {
  const at::Tensor& data = ids.data();
  TORCH_CHECK_TYPE((data.scalar_type() == at::kLong || data.scalar_type() == at::kInt) && data.is_cpu(),
                   "shared_steps: the data of ids is ", data.scalar_type(), " on ", data.device(),
                   ", and must be int64 (Long) or int32 (Int) on the CPU");
  TORCH_CHECK_VALUE(data.dim() == 1, "shared_steps: the data of ids has sizes ", data.sizes(), ", and must be [N]");
  const auto batch_sizes = packseq::detail::checked_layout("shared_steps", ids).batch_sizes;
  return packseq::detail::to_tensor(packseq::detail::Beginnings(data, batch_sizes).count_by_step());
}

}  // namespace packseq::cost
