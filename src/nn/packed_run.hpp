#pragma once

#include <torch/nn/modules/rnn.h>

#include <cstdint>
#include <vector>

#include "packseq/nn/result.hpp"
#include "packseq/sequence/pack.hpp"

namespace packseq::nn::detail {

/// Lets LibTorch run a packed batch that may hold empty documents, which it does not know.
///
/// They sort last, so LibTorch is shown a batch that ends before them, and their state goes around the network.
/// States inside a run are [layers * D, B, S], the longest document first.
class PackedRun {
 public:
  /// Checks `input`: well formed, its data [N, I] of the dtype and on the device of the network's `weights`.
  PackedRun(const char* function, const PackedSequence& input, const torch::nn::detail::RNNOptionsBase& options,
            const std::vector<at::Tensor>& weights);

  /// The caller's `state`, checked to be [layers * D, B, size], longest document first; zeros where it is undefined.
  at::Tensor initial(const char* name, const at::Tensor& state, std::int64_t size) const;

  /// False if every document is empty: then there is nothing to run.
  bool has_tokens() const noexcept { return nonempty_ > 0; }

  /// The documents that are not empty, as LibTorch knows packed batches.
  PackedSequence input() const { return PackedSequence(input_.data(), input_.batch_sizes().contiguous()); }

  /// Their part of a state; contiguous, as cuDNN wants it.
  at::Tensor of_input(const at::Tensor& state) const { return state.narrow(1, 0, nonempty_).contiguous(); }

  /// What the caller gets for LibTorch's output `data`.
  PackedSequence output(at::Tensor data) const;

  /// What the caller gets for the `state` in which LibTorch left the documents of `input()`; empty documents keep
  /// what they have in `initial`.
  at::Tensor final(const at::Tensor& state, const at::Tensor& initial) const;

  /// What the caller gets if there was nothing to run: an output `output_size` wide in each direction.
  Result result_of_nothing(std::int64_t output_size, const State& initial) const;

 private:
  const char* function_;
  const PackedSequence& input_;
  const std::vector<at::Tensor>& weights_;
  std::int64_t layers_;
  std::int64_t directions_;
  std::int64_t batch_;
  std::int64_t nonempty_;
};

/// The forward pass of a network without a cell state, `TorchImpl` being LibTorch's GRU or RNN.
template <class TorchImpl>
Result run_with_hidden_state(TorchImpl& network, const char* function, const PackedSequence& input, const State& state,
                             const std::vector<at::Tensor>& weights) {
  TORCH_CHECK_VALUE(!state.c.defined(), function, ": state.c is defined, but only an LSTM has a cell state");
  const PackedRun run(function, input, network.options_base, weights);
  const std::int64_t hidden_size = network.options_base.hidden_size();
  const at::Tensor h = run.initial("state.h", state.h, hidden_size);
  if (!run.has_tokens()) return run.result_of_nothing(hidden_size, {h});
  const auto [output, final] = network.forward_with_packed_input(run.input(), run.of_input(h));
  return {run.output(output.data()), {run.final(final, h)}};
}

}  // namespace packseq::nn::detail
