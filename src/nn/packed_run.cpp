#include "nn/packed_run.hpp"

#include <ATen/autocast_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include "packseq/sequence/map.hpp"
#include "sequence/layout.hpp"

namespace packseq::nn::detail {
namespace {

/// Autocast brings data and parameters to one dtype by itself.
void check_type(const char* function, const char* name, const at::Tensor& tensor, const at::Tensor& weight) {
  const bool same_dtype = tensor.scalar_type() == weight.scalar_type() ||
                          at::autocast::is_autocast_enabled(weight.device().type());
  TORCH_CHECK_TYPE(same_dtype && tensor.device() == weight.device(), function, ": ", name, " is ",
                   tensor.scalar_type(), " on ", tensor.device(), ", but the parameters are ",
                   weight.scalar_type(), " on ", weight.device());
}

}  // namespace

PackedRun::PackedRun(const char* function, const PackedSequence& input,
                     const torch::nn::detail::RNNOptionsBase& options, const at::Tensor& weight)
    : function_(function),
      input_(input),
      weight_(weight),
      state_rows_(options.num_layers() * (options.bidirectional() ? 2 : 1)) {
  const auto layout = packseq::detail::checked_layout(function, input);
  batch_ = static_cast<std::int64_t>(layout.lengths.size());
  nonempty_ = layout.batch_sizes.front();
  const at::Tensor& data = input.data();
  TORCH_CHECK_VALUE(data.dim() == 2 && data.size(1) == options.input_size(), function,
                    ": the data of input has sizes ", data.sizes(), ", and must be [N, ",
                    options.input_size(), "]");
  check_type(function, "the data of input", data, weight);
}

at::Tensor PackedRun::sorted(const char* name, const at::Tensor& state, std::int64_t size) const {
  if (!state.defined())
    return at::zeros({state_rows_, batch_, size}, input_.data().options().requires_grad(false));
  TORCH_CHECK_VALUE(state.sizes() == at::IntArrayRef({state_rows_, batch_, size}), function_, ": ", name,
                    " has sizes ", state.sizes(), ", and must be [", state_rows_, ", ", batch_, ", ", size,
                    "]: layers times directions, documents, size");
  check_type(function_, name, state, weight_);
  return input_.sorted_indices().defined() ? state.index_select(1, input_.sorted_indices()) : state;
}

PackedSequence PackedRun::output(at::Tensor data) const { return with_data(input_, std::move(data)); }

PackedSequence PackedRun::empty_output(std::int64_t width) const {
  return output(at::zeros({0, width}, input_.data().options().requires_grad(false)));
}

at::Tensor PackedRun::output_state(const at::Tensor& final, const at::Tensor& sorted) const {
  at::Tensor state = final.defined() ? final : sorted;
  if (final.defined() && nonempty_ < batch_) {
    state = at::cat({final, sorted.narrow(1, nonempty_, batch_ - nonempty_)}, 1);
  }
  return input_.unsorted_indices().defined() ? state.index_select(1, input_.unsorted_indices()) : state;
}

}  // namespace packseq::nn::detail
