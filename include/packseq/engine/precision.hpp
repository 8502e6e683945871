#pragma once

#include "packseq/export.hpp"

namespace packseq::engine {

/// What the fused engine rounds the factors of a Float network's matrix products to. Weights, inputs, states, results
/// and gradients are tensors of Float all the same, and so are sums, gates and cell states.
///
/// With bfloat16 a network of size 128 or more takes about half of the time in inference, one of 256 or more .6 of it
/// in training, over many steps and where the CPU has instructions for it (`has_bfloat16_instructions`). Calls of one
/// or two steps gain little, and of size 1024 lose, unless weights are frozen, since they are rounded anew in each
/// call; tiny networks may lose, too. Results differ from those of exact products by about 1e-3: rather as LibTorch's
/// modules of dtype BFloat16, but less. Rounding is to the nearest, ties to even; denormal factors count as 0, with the
/// instructions denormal sums, too, and numbers from 3.3962e38 on as infinity. A document's result is the same to the
/// last bit in any batch, on one CPU. Double networks, second derivatives and what LibTorch runs keep their own
/// products.
///
/// A network of dtype BFloat16 multiplies in bfloat16 whatever this says, and so does one of Float under autocast to
/// it. Sums, gates and states are of float inside a pass, which rounds what leaves it as BFloat16: outputs, final
/// states, gradients. So a whole document gives the same bits in any batch, but others where it comes step by step and
/// a state of BFloat16 is rounded between the calls.
enum class Precision {
  /// As LibTorch's own switch for recurrent networks says at each call: bfloat16 where
  /// `at::globalContext().float32Precision(at::Float32Backend::MKLDNN, at::Float32Op::RNN)` is BF16, in Python
  /// `torch.backends.mkldnn.rnn.fp32_precision = "bf16"`, or that of `torch.backends.mkldnn` or `torch.backends`, which
  /// it inherits; else float32.
  automatic,
  float32,   ///< Nothing is rounded.
  bfloat16,  ///< Factors are.
};

/// Whether this CPU multiplies bfloat16 by instructions of its own: AVX512-BF16, or on ARM, under Linux, BF16. Others
/// round the factors alike, and then take as long as for float, or up to a fifth longer for a few steps of one
/// document.
/// @code
/// packseq::nn::LSTM lstm(4, 5);
/// if (packseq::engine::has_bfloat16_instructions()) lstm->precision = packseq::engine::Precision::bfloat16;
/// @endcode
PACKSEQ_EXPORT bool has_bfloat16_instructions() noexcept;

}  // namespace packseq::engine
