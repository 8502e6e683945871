#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "kernels/arena.hpp"
#include "kernels/passes.hpp"
#include "packseq/engine/precision.hpp"
#include "sequence/beginnings.hpp"

namespace packseq::engine {

using kernels::Cell;
using kernels::gate_blocks;
using packseq::detail::Trie;

/// A layer of a recurrent network over a batch, in LibTorch's terms; D = 2 if bidirectional, else 1.
struct Layer {
  Cell cell = Cell::lstm;
  at::Tensor batch_sizes;  ///< int64 [T] on the CPU; of a padded batch undefined.
  at::Tensor data;         ///< [N, I], or, where tokens have an index, [U, I]; padded: [T, B, I].
  at::Tensor index;        ///< int32 [N]: which row of `data` each token has, after K others; undefined: its own.
  at::Tensor known_sums;   ///< Of those K rows, `project_input`; only where nothing records gradients. Or undefined.
  at::Tensor h_0;          ///< [D, B, P]
  at::Tensor c_0;          ///< [D, B, H] of an LSTM, else undefined.
  /// For each direction weight_ih, weight_hh, then, where there are any, bias_ih and bias_hh, then weight_hr.
  std::vector<at::Tensor> parameters;
  bool has_biases = true;
  bool bidirectional = false;
  Precision precision = Precision::float32;  ///< Not automatic.
  bool batch_first = false;                  ///< A padded output is [B, T, *]; `data` is [T, B, I] all the same.
  bool keeps_cells = false;                  ///< An LSTM is to hand out its cell states of every token, packed.

  /// Of a packed batch whose documents begin alike, or undefined. Then the rows of `data` or `index` and of the results
  /// are the trie's nodes, M in the place of N, and `h_0` and `c_0` are those of the first step's, R in the place of B.
  /// The layer is not bidirectional, `keeps_cells` if it is of an LSTM, and hands out no state of its own.
  Trie trie;
  /// Where the memory for rows of results comes from, which then live no longer than it; or null.
  kernels::Arena* arena = nullptr;

  bool is_padded() const { return !batch_sizes.defined(); }
  bool has_trie() const { return trie.nodes.defined(); }
};

/// What a layer makes of a batch.
struct LayerResult {
  at::Tensor output;  ///< [N, D * P]; padded: [T, B, D * P] or [B, T, D * P], the same in memory.
  at::Tensor h_n;     ///< [D, B, P]
  at::Tensor c_n;     ///< [D, B, H] of an LSTM, else undefined.
  at::Tensor cells;   ///< [N, D * H] where `keeps_cells`, else undefined.
};

/// Runs a layer, with gradients where LibTorch would record them. All tensors must be of one dtype of the engine's,
/// on the CPU, and of the right shapes.
LayerResult run_layer(Layer layer);

/// The same by LibTorch's own code, of any dtype and on any device; step by step where `keeps_cells`.
LayerResult run_layer_in_libtorch(const Layer& layer);

}  // namespace packseq::engine
