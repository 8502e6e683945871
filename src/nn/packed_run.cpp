#include "nn/packed_run.hpp"

#include <ATen/autocast_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include <cstdint>
#include <utility>
#include <variant>

#include "packseq/sequence/map.hpp"
#include "sequence/layout.hpp"

namespace packseq::nn::detail {
namespace {

/// Autocast brings floating-point data and parameters to one dtype by itself, all but double.
void check_type(const char* function, const char* name, const at::Tensor& tensor, const at::Tensor& weight) {
  const bool same_dtype = tensor.scalar_type() == weight.scalar_type() ||
                          (at::autocast::is_autocast_enabled(weight.device().type()) && tensor.is_floating_point() &&
                           tensor.scalar_type() != at::kDouble && weight.scalar_type() != at::kDouble);
  TORCH_CHECK_TYPE(same_dtype && tensor.device() == weight.device(), function, ": ", name, " is ", tensor.scalar_type(),
                   " on ", tensor.device(), ", but the parameters are ", weight.scalar_type(), " on ", weight.device());
}

/// States inside a run are [layers * D, B, S], the longest document first.
class PackedRun {
 public:
  /// Checks `input`: well formed, its data [N, I] of the dtype and on the device of the network's `weights`.
  PackedRun(const char* function, const Input& input, const torch::nn::detail::RNNOptionsBase& options,
            const std::vector<at::Tensor>& weights);

  /// The caller's `state`, checked to be [layers * D, B, size], longest document first; zeros where it is undefined.
  at::Tensor initial(const char* name, const at::Tensor& state, std::int64_t size) const;

  /// False if every document is empty: then there is nothing to run.
  bool has_tokens() const noexcept { return nonempty_ > 0; }

  /// A state of the documents that are not empty; contiguous, as cuDNN wants it.
  at::Tensor of_input(const at::Tensor& state) const { return state.narrow(1, 0, nonempty_).contiguous(); }

  /// Runs the documents that are not empty, from their `states`.
  engine::NetworkResult run(engine::Cell cell, const std::vector<at::Tensor>& states, engine::Choice choice,
                            bool train) const;

  /// What the caller gets for the output `data`.
  PackedSequence output(at::Tensor data) const;

  /// What the caller gets for the `state` in which `run` left its documents; empty ones keep what they have in
  /// `initial`.
  at::Tensor final(const at::Tensor& state, const at::Tensor& initial) const;

  /// What the caller gets if there was nothing to run: an output `output_size` wide in each direction.
  Result result_of_nothing(std::int64_t output_size, const State& initial) const;

 private:
  const char* function_;
  const Input& input_;
  const torch::nn::detail::RNNOptionsBase& options_;
  const std::vector<at::Tensor>& weights_;
  std::int64_t layers_;
  std::int64_t directions_;
  std::int64_t batch_;
  std::int64_t nonempty_;
};

PackedRun::PackedRun(const char* function, const Input& input, const torch::nn::detail::RNNOptionsBase& options,
                     const std::vector<at::Tensor>& weights)
    : function_(function),
      input_(input),
      options_(options),
      weights_(weights),
      layers_(options.num_layers()),
      directions_(options.bidirectional() ? 2 : 1) {
  const auto layout = packseq::detail::checked_layout(function, input.batch);
  batch_ = static_cast<std::int64_t>(layout.lengths.size());
  nonempty_ = layout.batch_sizes.front();
  const at::Tensor& data = input.data;
  TORCH_CHECK_VALUE(data.dim() == 2 && data.size(1) == options.input_size(), function, ": the data of input has sizes ",
                    data.sizes(), ", and must be [N, ", options.input_size(), "]");
  check_type(function, "the data of input", data, weights.front());
}

at::Tensor PackedRun::initial(const char* name, const at::Tensor& state, std::int64_t size) const {
  const std::int64_t rows = layers_ * directions_;
  if (!state.defined()) return at::zeros({rows, batch_, size}, input_.data.options());
  TORCH_CHECK_VALUE(state.sizes() == at::IntArrayRef({rows, batch_, size}), function_, ": ", name, " has sizes ",
                    state.sizes(), ", and must be [", rows, ", ", batch_, ", ", size,
                    "]: layers times directions, documents, size");
  check_type(function_, name, state, weights_.front());
  return input_.batch.sorted_indices().defined() ? state.index_select(1, input_.batch.sorted_indices()) : state;
}

engine::NetworkResult PackedRun::run(engine::Cell cell, const std::vector<at::Tensor>& states, engine::Choice choice,
                                     bool train) const {
  const at::Tensor batch_sizes = input_.batch.batch_sizes().contiguous();
  const engine::Network network = {cell,     input_.data,      batch_sizes,  states,
                                   weights_, options_.bias(),  layers_,      options_.dropout(),
                                   train,    directions_ == 2, input_.index, input_.known_sums};
  if (choice == engine::Choice::libtorch) return engine::run_network_in_libtorch(network);
  const auto support = engine::supports_tensors(input_.data, states, weights_);
  TORCH_CHECK_VALUE(support || choice == engine::Choice::automatic, function_,
                    ": engine is Choice::fused, but the fused engine does not run this: ", support.reason);
  const bool runs_fused = support && engine::is_well_formed(network);
  TORCH_CHECK_VALUE(runs_fused || !network.known_sums.defined(), function_,
                    ": the parameters have not the sizes that the options tell");
  // Where somebody has given them other sizes, that is LibTorch's to refuse.
  return runs_fused ? engine::run_network(network) : engine::run_network_in_libtorch(network);
}

PackedSequence PackedRun::output(at::Tensor data) const { return with_data(input_.batch, std::move(data)); }

at::Tensor PackedRun::final(const at::Tensor& state, const at::Tensor& initial) const {
  at::Tensor all = state;
  if (nonempty_ < batch_) {
    const at::Tensor of_empty = initial.narrow(1, nonempty_, batch_ - nonempty_);
    all = at::cat({state, of_empty.to(state.scalar_type())}, 1);
  }
  return input_.batch.unsorted_indices().defined() ? all.index_select(1, input_.batch.unsorted_indices()) : all;
}

Result PackedRun::result_of_nothing(std::int64_t output_size, const State& initial) const {
  const at::Tensor& data = input_.data;
  engine::unfreeze_trained(weights_);
  // The sums add nothing to no elements, but make the output a part of the graph: backward works, as for any batch.
  at::Tensor nothing = at::zeros({0, directions_ * output_size}, data.options()) + data.sum();
  for (const at::Tensor& weight : weights_) nothing = nothing + weight.sum();
  State state = {final(of_input(initial.h), initial.h)};
  if (initial.c.defined()) state.c = final(of_input(initial.c), initial.c);
  return {output(std::move(nothing)), std::move(state)};
}

}  // namespace

engine::Cell cell_of(const torch::nn::RNNOptions& options) {
  return std::holds_alternative<torch::enumtype::kReLU>(options.nonlinearity()) ? engine::Cell::rnn_relu
                                                                                : engine::Cell::rnn_tanh;
}

void check_fused(const std::string& function, const at::Tensor& data, const std::vector<at::Tensor>& weights,
                 engine::Choice choice) {
  const auto support = engine::supports_tensors(data, {}, weights);
  TORCH_CHECK_VALUE(support && choice != engine::Choice::libtorch, function,
                    ": the fused engine does not run this: ", support ? "engine is Choice::libtorch" : support.reason);
}

Result run_packed(const char* function, engine::Cell cell, const Input& input, const State& state,
                  const torch::nn::detail::RNNOptionsBase& options, const std::vector<at::Tensor>& weights,
                  engine::Choice choice, bool train) {
  const bool has_cells = cell == engine::Cell::lstm;
  TORCH_CHECK_VALUE(has_cells || !state.c.defined(), function,
                    ": state.c is defined, but only an LSTM has a cell state");
  const PackedRun run(function, input, options, weights);
  const std::int64_t output_size = options.proj_size() > 0 ? options.proj_size() : options.hidden_size();
  const at::Tensor h = run.initial("state.h", state.h, output_size);
  const at::Tensor c = has_cells ? run.initial("state.c", state.c, options.hidden_size()) : at::Tensor();
  if (!run.has_tokens()) return run.result_of_nothing(output_size, {h, c});
  std::vector<at::Tensor> states = {run.of_input(h)};
  if (has_cells) states.push_back(run.of_input(c));
  const auto [output, h_n, c_n] = run.run(cell, states, choice, train);
  return {run.output(output), {run.final(h_n, h), has_cells ? run.final(c_n, c) : at::Tensor()}};
}

}  // namespace packseq::nn::detail
