#include "packseq/sequence/mask.hpp"

#include <ATen/ops/arange.h>

#include "sequence/check.hpp"
#include "sequence/padded.hpp"

namespace packseq {

at::Tensor mask(const at::Tensor& lengths, const MaskOptions& options) {
  const auto entries = detail::checked_lengths("mask", "lengths", lengths);
  const auto shape = detail::checked_shape("mask", {.total_length = options.total_length}, entries, {}, sizeof(bool));
  const std::int64_t step_dimension = options.batch_first ? 0 : 1;
  const at::Tensor steps = at::arange(shape.steps, at::kLong).unsqueeze(step_dimension);
  const at::Tensor lengths_of_steps = lengths.unsqueeze(1 - step_dimension);
  return options.padding_side == PaddingSide::left ? steps >= shape.steps - lengths_of_steps : steps < lengths_of_steps;
}

}  // namespace packseq
