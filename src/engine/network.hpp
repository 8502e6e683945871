#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "engine/layer.hpp"
#include "packseq/engine/precision.hpp"
#include "packseq/engine/supports.hpp"

namespace packseq::engine {

/// A recurrent network over a batch, as LibTorch's operators lstm, gru, rnn_tanh and rnn_relu are given it, those named
/// `.data` a packed batch and those named `.input` a padded one; L layers, D = 2 if bidirectional, else 1.
struct Network {
  Cell cell;
  at::Tensor data;            ///< [N, I], or [U, I] where there is an index; padded: [T, B, I] or [B, T, I].
  at::Tensor batch_sizes;     ///< [T]; of a padded batch undefined.
  at::TensorList states;      ///< h_0 [L * D, B, P] and, of an LSTM, c_0 [L * D, B, H].
  at::TensorList parameters;  ///< Of each layer and direction: weight_ih, weight_hh, bias_ih, bias_hh, weight_hr.
  bool has_biases;
  std::int64_t num_layers;
  double dropout;
  bool train;
  bool bidirectional;
  bool batch_first = false;                  ///< Of a padded batch.
  at::Tensor index = {};                     ///< As in `Layer`, of the first layer.
  at::Tensor known_sums = {};                ///< Likewise.
  Precision precision = Precision::float32;  ///< Not automatic.
  bool keeps_cells = false;                  ///< Of a packed batch: to hand out an LSTM's cell states of every token,
  bool keeps_lower_layers = false;           ///< and those of all layers, not of the last alone.

  /// Of a packed batch with an index, or none: that of its documents, which begin alike, from the same state; of a
  /// bidirectional network also that of its documents from their ends. Then states record no gradients.
  std::vector<Trie> tries = {};

  bool is_padded() const { return !batch_sizes.defined(); }
  /// Whether a trie's nodes are alike in the first layer alone: of two directions a token has two, and dropout differs.
  bool parts_after_first_layer() const { return bidirectional || (train && dropout != 0); }
};

/// What is asked for of numbers of this dtype, here and now, by autocast where it is on: not automatic, and float32 for
/// all others but Float. What is BFloat16 the kernels multiply in bfloat16 all the same.
Precision resolved(Precision precision, c10::ScalarType dtype);

/// What a layer has of every token, packed.
struct LayerStates {
  at::Tensor h;  ///< [N, D * P]
  at::Tensor c;  ///< [N, D * H] where the network `keeps_cells`, else undefined.
};

/// What comes out.
struct NetworkResult {
  at::Tensor output;                ///< [N, D * P], or padded as the data came in.
  at::Tensor h_n;                   ///< [L * D, B, P]
  at::Tensor c_n;                   ///< [L * D, B, H] of an LSTM, else undefined.
  std::vector<LayerStates> layers;  ///< Of a network that keeps anything, else empty.
};

/// Whether the engine can run networks of these tensors here and now: their dtype, device and kind, and the modes that
/// LibTorch is in.
Support supports_tensors(const at::Tensor& data, at::TensorList states, at::TensorList parameters);

/// What the first layer's gates start from, whatever the state, for all rows of `network.data`: [D, K, *], a form of
/// the engine's own. The network is supported and checked, but for its index and batch sizes.
at::Tensor project_input(const Network& network);

/// Takes back that weights are frozen, where a pass records gradients of them: training changes weights, and LibTorch's
/// SGD does so without its being counted. Both of the functions below do so.
void unfreeze_trained(at::TensorList parameters);

/// Runs a network that is supported, and of which `check_arguments` says that the engine takes it. What is a node of a
/// trie is computed once.
NetworkResult run_network(const Network& network);

/// The same by LibTorch's own code, whether the engine is installed or not; one layer after the other where the network
/// keeps anything.
NetworkResult run_network_in_libtorch(const Network& network);

}  // namespace packseq::engine
