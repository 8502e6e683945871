#pragma once

#include <functional>
#include <string_view>

#include "contenders/inputs.hpp"

namespace packseq::bench {

/// A model ready to run over one batch, in the layout that its contender reads and writes.
struct Prepared {
  /// The lengths that it runs over, padding included if it computes padding, int64 [B].
  at::Tensor executed_lengths;
  /// From documents to its layout; padding is 0.
  std::function<at::Tensor(const Jagged& documents)> arrange;
  /// The model's output for an input, both in its layout: what is timed.
  std::function<at::Tensor(const at::Tensor& input)> forward;
  /// From its layout to the real tokens, document after document, [N, *].
  std::function<at::Tensor(const at::Tensor& arranged)> real_tokens;
};

/// One way to run a recurrent network over documents; each has a file of its own.
struct Contender {
  std::string_view name;
  Prepared (*prepare)(const Inputs& inputs);
  /// Backward in a bidirectional network it reads padding first, so that its numbers differ from those of the others.
  bool reads_padding = false;
  double tolerance = 1e-4;  ///< How far from others its results may be, of the largest of them and 1.
};

/// LibTorch's path for a padded batch.
extern const Contender padded;

/// LibTorch's path for a packed batch.
extern const Contender packed;

/// packseq's fused engine, under the calls of `packed`.
extern const Contender fused;

/// The same under those of `padded`: what a program gains that goes on padding.
extern const Contender fused_padded;

/// As `fused`, with products of bfloat16.
extern const Contender bfloat16;

/// What is run while the engine is installed.
Prepared in_engine(Prepared prepared);

}  // namespace packseq::bench
