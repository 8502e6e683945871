#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <string>

#include "packseq/export.hpp"
#include "packseq/sequence/pack.hpp"

namespace packseq::engine {

/// Who runs a network over a packed batch.
enum class Choice {
  automatic,  ///< The fused engine where it supports the network, else LibTorch.
  fused,      ///< The fused engine; what it does not support is refused.
  libtorch,   ///< LibTorch's own code, also where the engine is installed under its operators.
};

/// Whether the fused engine runs something, and why not.
struct Support {
  bool supported = true;    ///< Whether it runs it.
  std::string reason = {};  ///< Empty if it is supported; else what stands in the way, "data is Half, ...".

  /// `supported`.
  explicit operator bool() const noexcept { return supported; }
};

/// Whether the fused engine runs this network over packed input with these data, here and now. Of data as these, it
/// runs a padded batch as well.
///
/// It runs LSTM, GRU and RNN of float, double and bfloat16 on the CPU. LibTorch runs the rest: float16 and autocast to
/// it, other devices, tensor subclasses and sparse tensors, forward-mode gradients, and functorch's transforms.
/// @code
/// if (const auto support = packseq::engine::supports(*lstm, embedded); !support) std::cout << support.reason << '\n';
/// @endcode
PACKSEQ_EXPORT Support supports(const torch::nn::Module& network, const PackedSequence& input);

}  // namespace packseq::engine
