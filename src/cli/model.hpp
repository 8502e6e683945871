#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <variant>

#include "packseq/cost/network_cost.hpp"
#include "packseq/nn/embedded.hpp"

namespace packseq::cli {

/// What the network makes of a batch; D = 2 if bidirectional, else 1.
struct NetworkResult {
  at::Tensor output;  ///< The last layer's, [B, T, D * H] of a padded batch, [N, D * H] of a packed one.
  at::Tensor hidden;  ///< The hidden state after the last step that was run, [layers * D, B, H].
};

/// An embedding and a recurrent network: the same weights for every contender.
class Model : public torch::nn::Module {
 public:
  /// Draws the weights from LibTorch's random numbers.
  Model(const cost::Network& shape, std::int64_t vocab_size);

  const cost::Network& shape() const noexcept { return shape_; }
  std::int64_t directions() const noexcept { return shape_.bidirectional ? 2 : 1; }
  std::int64_t output_size() const noexcept { return directions() * shape_.hidden_size; }

  /// LibTorch's own path for padded batches; `ids` is [B, T].
  NetworkResult run_padded(const at::Tensor& ids);

  /// LibTorch's own path for packed batches.
  NetworkResult run_packed(const PackedSequence& ids);

  /// packseq's engine, with products of this precision, whatever LibTorch's own switch says.
  NetworkResult run_fused(const PackedSequence& ids, engine::Precision precision);

  /// Both as one module of packseq's, over the same weights.
  std::variant<nn::EmbeddedLSTM, nn::EmbeddedGRU, nn::EmbeddedRNN> embedded() const;

  /// The last layer's hidden state, [B, D * H], forward direction first.
  at::Tensor last_layer(const at::Tensor& hidden) const;

 private:
  cost::Network shape_;
  nn::Embedding embedding_;
  std::variant<nn::LSTM, nn::GRU, nn::RNN> network_;
};

}  // namespace packseq::cli
