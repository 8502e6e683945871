#pragma once

#include <torch/nn/modules/rnn.h>

#include <cstdint>
#include <string>
#include <vector>

#include "engine/network.hpp"
#include "packseq/engine/supports.hpp"
#include "packseq/nn/result.hpp"
#include "packseq/sequence/pack.hpp"

namespace packseq::nn::detail {

/// Runs a packed batch that may hold empty documents, which neither LibTorch nor the engine knows.
///
/// They sort last, so these are shown a batch that ends before them, and the state of the empty ones goes around.
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

  /// The documents' part of a state that are not empty; contiguous, as cuDNN wants it.
  at::Tensor of_input(const at::Tensor& state) const { return state.narrow(1, 0, nonempty_).contiguous(); }

  /// Runs the documents that are not empty, from their `states`.
  engine::NetworkResult run(engine::Cell cell, const std::vector<at::Tensor>& states, engine::Choice choice,
                            bool train) const;

  /// What the caller gets for the output `data`.
  PackedSequence output(at::Tensor data) const;

  /// What the caller gets for the `state` in which `run` left its documents; empty ones keep what they have in `initial`.
  at::Tensor final(const at::Tensor& state, const at::Tensor& initial) const;

  /// What the caller gets if there was nothing to run: an output `output_size` wide in each direction.
  Result result_of_nothing(std::int64_t output_size, const State& initial) const;

 private:
  const char* function_;
  const PackedSequence& input_;
  const torch::nn::detail::RNNOptionsBase& options_;
  const std::vector<at::Tensor>& weights_;
  std::int64_t layers_;
  std::int64_t directions_;
  std::int64_t batch_;
  std::int64_t nonempty_;
};

/// The forward pass of a network without a cell state, a GRU or RNN of this room.
template <class Impl>
Result run_without_cell_state(Impl& network, const char* function, engine::Cell cell, const PackedSequence& input,
                              const State& state, const std::vector<at::Tensor>& weights) {
  TORCH_CHECK_VALUE(!state.c.defined(), function, ": state.c is defined, but only an LSTM has a cell state");
  const PackedRun run(function, input, network.options_base, weights);
  const std::int64_t hidden_size = network.options_base.hidden_size();
  const at::Tensor h = run.initial("state.h", state.h, hidden_size);
  if (!run.has_tokens()) return run.result_of_nothing(hidden_size, {h});
  const auto [output, h_n, none] = run.run(cell, {run.of_input(h)}, network.engine, network.is_training());
  return {run.output(output), {run.final(h_n, h)}};
}

}  // namespace packseq::nn::detail
