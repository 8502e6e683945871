#include "packseq/nn/locked_dropout.hpp"

#include <ATen/ops/dropout.h>
#include <c10/util/Exception.h>

#include "packseq/sequence/map.hpp"
#include "packseq/sequence/spread.hpp"
#include "sequence/layout.hpp"

namespace packseq::nn {

PackedSequence LockedDropoutImpl::forward(const PackedSequence& input) {
  const std::int64_t documents = lengths(input).size(0);
  at::Tensor data = input.data();
  TORCH_CHECK_TYPE(data.is_floating_point() || data.is_complex(), "LockedDropout: data is ", data.scalar_type(),
                   ", and must be floating-point or complex: put it behind the embedding");
  TORCH_CHECK_TYPE(packseq::detail::is_computed_with(data.scalar_type()), "LockedDropout: data is ", data.scalar_type(),
                   ", which LibTorch does not multiply: convert it first");
  if (!is_training() || options.p() == 0) return input;
  auto sizes = data.sizes().vec();
  sizes[0] = documents;
  const at::Tensor ones = data.new_ones(sizes, c10::toRealValueType(data.scalar_type()));
  const at::Tensor masks = at::dropout(ones, options.p(), /*train=*/true);
  const at::Tensor mask = spread(input, masks).data();
  return with_data(input, options.inplace() ? data.mul_(mask) : data * mask);
}

std::shared_ptr<torch::nn::Module> LockedDropoutImpl::clone(const std::optional<at::Device>& device) const {
  return detail::cloned(*this, device);
}

}  // namespace packseq::nn
