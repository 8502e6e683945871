#include "nn/packed_run.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include <cstdint>
#include <utility>
#include <variant>

#include "engine/autocast.hpp"
#include "engine/check.hpp"
#include "nn/tries.hpp"
#include "packseq/sequence/map.hpp"
#include "sequence/layout.hpp"

namespace packseq::nn::detail {
namespace {

/// States inside a run are [layers * D, B, S], the longest document first.
class PackedRun {
 public:
  /// Checks that the batch of `input` is well formed.
  PackedRun(const char* function, engine::Cell cell, const Input& input,
            const torch::nn::detail::RNNOptionsBase& options, const std::vector<at::Tensor>& weights);

  /// The caller's `state`; zeros, [layers * D, B, size], where it is undefined.
  at::Tensor given(const at::Tensor& state, std::int64_t size) const;

  /// Checks that data, weights and the given `states` fit each other.
  void check(const std::vector<at::Tensor>& states) const;

  /// A given state, longest document first.
  at::Tensor sorted(const at::Tensor& state) const;

  /// False if every document is empty: then there is nothing to run.
  bool has_tokens() const noexcept { return nonempty_ > 0; }

  /// A state of the documents that are not empty; contiguous, as cuDNN wants it.
  at::Tensor of_input(const at::Tensor& state) const { return state.narrow(1, 0, nonempty_).contiguous(); }

  /// Runs the documents that are not empty, from their `states`: those that the caller gave, or zeros.
  engine::NetworkResult run(const std::vector<at::Tensor>& states, bool are_given, const RunOptions& how,
                            bool train) const;

  /// What the caller gets for the output `data`.
  PackedSequence output(at::Tensor data) const;

  /// What the caller gets for the `state` in which `run` left its documents; empty ones keep what they have in
  /// `initial`.
  at::Tensor final(const at::Tensor& state, const at::Tensor& initial) const;

  /// What the caller gets for what `run` has kept.
  std::vector<LayerStates> layers(const std::vector<engine::LayerStates>& kept) const;

  /// What the caller gets if there was nothing to run: an output `output_size` wide in each direction.
  Result result_of_nothing(std::int64_t output_size, const State& initial, const Keep& keep) const;

 private:
  at::Tensor nothing(std::int64_t width, c10::ScalarType dtype) const;
  engine::Network network(const std::vector<at::Tensor>& states, bool train) const;

  const char* function_;
  engine::Cell cell_;
  const Input& input_;
  at::Tensor batch_sizes_;
  const torch::nn::detail::RNNOptionsBase& options_;
  const std::vector<at::Tensor>& weights_;
  std::int64_t layers_;
  std::int64_t directions_;
  std::int64_t batch_;
  std::int64_t nonempty_;
};

PackedRun::PackedRun(const char* function, engine::Cell cell, const Input& input,
                     const torch::nn::detail::RNNOptionsBase& options, const std::vector<at::Tensor>& weights)
    : function_(function),
      cell_(cell),
      input_(input),
      batch_sizes_(input.batch.batch_sizes()),
      options_(options),
      weights_(weights),
      layers_(options.num_layers()),
      directions_(options.bidirectional() ? 2 : 1) {
  const auto layout = packseq::detail::checked_layout(function, input.batch);
  batch_ = static_cast<std::int64_t>(layout.lengths.size());
  nonempty_ = layout.batch_sizes.front();
}

engine::Network PackedRun::network(const std::vector<at::Tensor>& states, bool train) const {
  return {cell_,
          input_.data,
          batch_sizes_,
          states,
          weights_,
          options_.bias(),
          layers_,
          options_.dropout(),
          train,
          directions_ == 2,
          /*batch_first=*/false,
          input_.index,
          input_.known_sums};
}

at::Tensor PackedRun::given(const at::Tensor& state, std::int64_t size) const {
  return state.defined() ? state : at::zeros({layers_ * directions_, batch_, size}, input_.data.options());
}

void PackedRun::check(const std::vector<at::Tensor>& states) const {
  const bool is_taken = engine::check_arguments(network(states, /*train=*/false),
                                                {function_, "the data of input", {"state.h", "state.c"}}, batch_);
  TORCH_CHECK_VALUE(is_taken, function_, ": the biases have not the sizes that the options tell");
}

at::Tensor PackedRun::sorted(const at::Tensor& state) const {
  return input_.batch.sorted_indices().defined() ? state.index_select(1, input_.batch.sorted_indices()) : state;
}

engine::NetworkResult PackedRun::run(const std::vector<at::Tensor>& states, bool are_given, const RunOptions& how,
                                     bool train) const {
  engine::Network of_nonempty = network(states, train);
  of_nonempty.precision = engine::resolved(how.precision, input_.data.scalar_type());
  of_nonempty.keeps_cells = how.keep.c;
  of_nonempty.keeps_lower_layers = how.keep.lower_layers;
  if (how.engine == engine::Choice::libtorch) return engine::run_network_in_libtorch(of_nonempty);
  const auto support = engine::supports_tensors(input_.data, states, weights_);
  TORCH_CHECK_VALUE(support || how.engine == engine::Choice::automatic, function_,
                    ": engine is Choice::fused, but the fused engine does not run this: ", support.reason);
  if (!support) return engine::run_network_in_libtorch(of_nonempty);
  of_nonempty.tries = find_tries(of_nonempty, are_given, input_.most_beginnings);
  return engine::run_network(of_nonempty);
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

std::vector<LayerStates> PackedRun::layers(const std::vector<engine::LayerStates>& kept) const {
  std::vector<LayerStates> result;
  for (const auto& [h, c] : kept) {
    result.push_back({output(h)});
    if (c.defined()) result.back().c = output(c);
  }
  return result;
}

/// The sums add nothing to no elements, but make these a part of the graph: backward works, as for any batch.
at::Tensor PackedRun::nothing(std::int64_t width, c10::ScalarType dtype) const {
  at::Tensor nothing = at::zeros({0, directions_ * width}, input_.data.options().dtype(dtype)) + input_.data.sum();
  for (const at::Tensor& weight : weights_) nothing = nothing + weight.sum();
  return nothing;
}

Result PackedRun::result_of_nothing(std::int64_t output_size, const State& initial, const Keep& keep) const {
  engine::unfreeze_trained(weights_);
  std::vector<at::Tensor> states = {initial.h};
  if (initial.c.defined()) states.push_back(initial.c);
  const auto dtypes = engine::result_dtypes(network(states, /*train=*/false));
  State state = {final(of_input(initial.h).to(dtypes.h), initial.h)};
  if (initial.c.defined()) state.c = final(of_input(initial.c).to(dtypes.c), initial.c);
  const engine::LayerStates of_layer = {nothing(output_size, dtypes.h),
                                        keep.c ? nothing(options_.hidden_size(), dtypes.c) : at::Tensor()};
  const std::int64_t kept = keep.lower_layers ? layers_ : keep.c ? 1 : 0;
  return {output(of_layer.h), std::move(state),
          layers(std::vector<engine::LayerStates>(static_cast<std::size_t>(kept), of_layer))};
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
                  const RunOptions& how, bool train) {
  const bool has_cells = cell == engine::Cell::lstm;
  TORCH_CHECK_VALUE(has_cells || !state.c.defined(), function,
                    ": state.c is defined, but only an LSTM has a cell state");
  TORCH_CHECK_VALUE(has_cells || !how.keep.c, function,
                    ": keep.c is set, but only an LSTM has cell states; h is the output");
  const PackedRun run(function, cell, input, options, weights);
  const std::int64_t output_size = options.proj_size() > 0 ? options.proj_size() : options.hidden_size();
  std::vector<at::Tensor> given = {run.given(state.h, output_size)};
  if (has_cells) given.push_back(run.given(state.c, options.hidden_size()));
  run.check(given);
  const at::Tensor h = run.sorted(given[0]);
  const at::Tensor c = has_cells ? run.sorted(given[1]) : at::Tensor();
  if (!run.has_tokens()) return run.result_of_nothing(output_size, {h, c}, how.keep);
  std::vector<at::Tensor> states = {run.of_input(h)};
  if (has_cells) states.push_back(run.of_input(c));
  const auto [output, h_n, c_n, layers] = run.run(states, state.h.defined() || state.c.defined(), how, train);
  return {run.output(output), {run.final(h_n, h), has_cells ? run.final(c_n, c) : at::Tensor()}, run.layers(layers)};
}

}  // namespace packseq::nn::detail
