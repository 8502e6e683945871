#pragma once

#include <torch/nn/modules/rnn.h>

#include <string>
#include <vector>

#include "engine/network.hpp"
#include "packseq/engine/precision.hpp"
#include "packseq/engine/supports.hpp"
#include "packseq/nn/result.hpp"
#include "packseq/sequence/pack.hpp"

namespace packseq::nn::detail {

/// A packed batch on its way into a network.
struct Input {
  const PackedSequence& batch;  ///< Its documents; its data says nothing.
  at::Tensor data;              ///< [N, I], a row for each token, or [U, I] where there is an index.
  at::Tensor index = {};        ///< See `engine::Layer`.
  at::Tensor known_sums = {};   ///< Likewise.
  double most_beginnings = 0;   ///< Where there is an index: see `Embedded`.
};

/// What a module's members and its caller say of how a batch is run.
struct RunOptions {
  engine::Choice engine;
  engine::Precision precision;
  Keep keep;
};

/// The kind of an RNN's cell.
engine::Cell cell_of(const torch::nn::RNNOptions& options);

/// The forward pass of an LSTM, GRU or RNN over a packed batch.
///
/// Empty documents sort last, and neither LibTorch nor the engine knows them: only the others are run, and the empty
/// ones keep their initial state.
Result run_packed(const char* function, engine::Cell cell, const Input& input, const State& state,
                  const torch::nn::detail::RNNOptionsBase& options, const std::vector<at::Tensor>& weights,
                  const RunOptions& how, bool train);

/// Refuses a network that the fused engine does not run over such data.
void check_fused(const std::string& function, const at::Tensor& data, const std::vector<at::Tensor>& weights,
                 engine::Choice choice);

}  // namespace packseq::nn::detail
