#pragma once

#include <torch/nn/modules/rnn.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "packseq/sequence/pack.hpp"

namespace packseq::nn::detail {

/// Lets LibTorch run a packed batch that may hold empty documents, which it does not know.
///
/// They sort last, so LibTorch is shown a batch that ends before them, and their state goes around the
/// network. States inside a run are "sorted": [layers * D, B, S], the longest document first.
class PackedRun {
 public:
  /// Checks `input`: well formed, its data [N, I] of the dtype and on the device of the network's first
  /// `weight`.
  PackedRun(const char* function, const PackedSequence& input,
            const torch::nn::detail::RNNOptionsBase& options, const at::Tensor& weight);

  /// The caller's `state`, checked to be [layers * D, B, size] and sorted; zeros where it is undefined.
  at::Tensor sorted(const char* name, const at::Tensor& state, std::int64_t size) const;

  /// False if every document is empty: then there is nothing to run.
  bool has_tokens() const noexcept { return nonempty_ > 0; }

  /// The documents that are not empty, as LibTorch knows packed batches.
  PackedSequence input() const { return PackedSequence(input_.data(), input_.batch_sizes()); }

  /// Their part of a sorted state.
  at::Tensor input_state(const at::Tensor& sorted) const { return sorted.narrow(1, 0, nonempty_); }

  /// What the caller gets for LibTorch's output `data`.
  PackedSequence output(at::Tensor data) const;

  /// What the caller gets if there was nothing to run: an output `width` wide.
  PackedSequence empty_output(std::int64_t width) const;

  /// The final state in the caller's order: `final` of the documents that ran (undefined if none did), and
  /// what empty documents had in `sorted`, the initial state.
  at::Tensor output_state(const at::Tensor& final, const at::Tensor& sorted) const;

 private:
  const char* function_;
  const PackedSequence& input_;
  const at::Tensor& weight_;
  std::int64_t state_rows_;
  std::int64_t batch_;
  std::int64_t nonempty_;
};

/// The forward pass of a network whose state is one tensor, `TorchImpl` being LibTorch's GRU or RNN.
template <class TorchImpl>
std::pair<PackedSequence, at::Tensor> run_with_hidden_state(TorchImpl& network, const char* function,
                                                            const PackedSequence& input,
                                                            const at::Tensor& state,
                                                            const at::Tensor& weight) {
  const PackedRun run(function, input, network.options_base, weight);
  const std::int64_t hidden_size = network.options_base.hidden_size();
  const at::Tensor sorted = run.sorted("state", state, hidden_size);
  if (!run.has_tokens()) {
    const std::int64_t directions = network.options_base.bidirectional() ? 2 : 1;
    return {run.empty_output(directions * hidden_size), run.output_state({}, sorted)};
  }
  const auto [output, final] = network.forward_with_packed_input(run.input(), run.input_state(sorted));
  return {run.output(output.data()), run.output_state(final, sorted)};
}

/// A deep copy of a recurrent network.
template <class Impl>
std::shared_ptr<torch::nn::Module> cloned(const Impl& network, const std::optional<at::Device>& device) {
  const torch::NoGradGuard no_grad;
  auto copy = std::make_shared<Impl>(network.options);
  copy->train(network.is_training());
  auto parameters = copy->named_parameters();
  for (const auto& entry : network.named_parameters()) {
    const at::Tensor& parameter = entry.value();
    at::Tensor& copied = parameters[entry.key()];
    copied.set_data(parameter.to(device.value_or(parameter.device()), /*non_blocking=*/false, /*copy=*/true));
    copied.set_requires_grad(parameter.requires_grad());
  }
  copy->flatten_parameters();
  return copy;
}

}  // namespace packseq::nn::detail
