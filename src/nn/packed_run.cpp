#include "nn/packed_run.hpp"

#include <ATen/autocast_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include "packseq/sequence/map.hpp"
#include "sequence/layout.hpp"

namespace packseq::nn::detail {
namespace {

/// Autocast brings floating-point data and parameters to one dtype by itself.
void check_type(const char* function, const char* name, const at::Tensor& tensor, const at::Tensor& weight) {
  const bool same_dtype =
      tensor.scalar_type() == weight.scalar_type() || at::autocast::is_autocast_enabled(weight.device().type());
  TORCH_CHECK_TYPE(same_dtype && tensor.device() == weight.device(), function, ": ", name, " is ", tensor.scalar_type(),
                   " on ", tensor.device(), ", but the parameters are ", weight.scalar_type(), " on ", weight.device());
}

}  // namespace

PackedRun::PackedRun(const char* function, const PackedSequence& input,
                     const torch::nn::detail::RNNOptionsBase& options, const std::vector<at::Tensor>& weights)
    : function_(function),
      input_(input),
      options_(options),
      weights_(weights),
      layers_(options.num_layers()),
      directions_(options.bidirectional() ? 2 : 1) {
  const auto layout = packseq::detail::checked_layout(function, input);
  batch_ = static_cast<std::int64_t>(layout.lengths.size());
  nonempty_ = layout.batch_sizes.front();
  const at::Tensor& data = input.data();
  TORCH_CHECK_VALUE(data.dim() == 2 && data.size(1) == options.input_size(), function, ": the data of input has sizes ",
                    data.sizes(), ", and must be [N, ", options.input_size(), "]");
  check_type(function, "the data of input", data, weights.front());
}

at::Tensor PackedRun::initial(const char* name, const at::Tensor& state, std::int64_t size) const {
  const std::int64_t rows = layers_ * directions_;
  if (!state.defined()) return at::zeros({rows, batch_, size}, input_.data().options().requires_grad(false));
  TORCH_CHECK_VALUE(state.sizes() == at::IntArrayRef({rows, batch_, size}), function_, ": ", name, " has sizes ",
                    state.sizes(), ", and must be [", rows, ", ", batch_, ", ", size,
                    "]: layers times directions, documents, size");
  check_type(function_, name, state, weights_.front());
  return input_.sorted_indices().defined() ? state.index_select(1, input_.sorted_indices()) : state;
}

engine::NetworkResult PackedRun::run(engine::Cell cell, const std::vector<at::Tensor>& states, engine::Choice choice,
                                     bool train) const {
  const at::Tensor batch_sizes = input_.batch_sizes().contiguous();
  const engine::Network network = {cell,
                                   input_.data(),
                                   batch_sizes,
                                   states,
                                   weights_,
                                   options_.bias(),
                                   layers_,
                                   options_.dropout(),
                                   train,
                                   directions_ == 2};
  if (choice == engine::Choice::libtorch) return engine::run_network_in_libtorch(network);
  const auto support = engine::supports_tensors(input_.data(), states, weights_);
  TORCH_CHECK_VALUE(support || choice == engine::Choice::automatic, function_,
                    ": engine is Choice::fused, but the fused engine does not run this: ", support.reason);
  return support ? engine::run_network(network) : engine::run_network_in_libtorch(network);
}

PackedSequence PackedRun::output(at::Tensor data) const { return with_data(input_, std::move(data)); }

at::Tensor PackedRun::final(const at::Tensor& state, const at::Tensor& initial) const {
  at::Tensor all = state;
  if (nonempty_ < batch_) {
    const at::Tensor of_empty = initial.narrow(1, nonempty_, batch_ - nonempty_);
    all = at::cat({state, of_empty.to(state.scalar_type())}, 1);
  }
  return input_.unsorted_indices().defined() ? all.index_select(1, input_.unsorted_indices()) : all;
}

Result PackedRun::result_of_nothing(std::int64_t output_size, const State& initial) const {
  const at::Tensor& data = input_.data();
  // The sums add nothing to no elements, but make the output a part of the graph: backward works, as for any batch.
  at::Tensor nothing = at::zeros({0, directions_ * output_size}, data.options().requires_grad(false)) + data.sum();
  for (const at::Tensor& weight : weights_) nothing = nothing + weight.sum();
  State state = {final(of_input(initial.h), initial.h)};
  if (initial.c.defined()) state.c = final(of_input(initial.c), initial.c);
  return {output(std::move(nothing)), std::move(state)};
}

}  // namespace packseq::nn::detail
