#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "packseq/cost/network_cost.hpp"
#include "packseq/export.hpp"

namespace packseq::cost {

/// A table of vectors, in the terms of `torch::nn::EmbeddingOptions`; E is `embedding_dim` in the formulas.
struct Embedding {
  std::int64_t num_embeddings = 0;  ///< Rows.
  std::int64_t embedding_dim = 0;   ///< E
};

/// FLOPs of looking up documents of these `lengths`, int64 [B] on the CPU: none, a lookup copies.
/// @throws c10::TypeError if `lengths` is not int64 on the CPU.
/// @throws c10::ValueError if `lengths` is not of one dimension, is empty, or has a negative entry.
/// @throws c10::ValueError if a size of `embedding` is not positive.
/// @code
/// packseq::cost::forward_flops(packseq::cost::Embedding{7, 4}, torch::tensor({3, 2, 1}));   // 0
/// @endcode
PACKSEQ_EXPORT std::int64_t forward_flops(const Embedding& embedding, const at::Tensor& lengths);

/// FLOPs of the backward pass: each token's gradient is added to that of its row, N E additions.
///
/// An addition counts as 1 FLOP. Zeroing the gradient of the table first, `num_embeddings` E elements unless it is
/// sparse, is none. The same conditions throw as in `forward_flops`.
/// @throws c10::ValueError if the count is 2^63 or more.
/// @code
/// packseq::cost::backward_flops(packseq::cost::Embedding{7, 4}, torch::tensor({3, 2, 1}));   // 6 * 4 = 24
/// @endcode
PACKSEQ_EXPORT std::int64_t backward_flops(const Embedding& embedding, const at::Tensor& lengths);

/// Bytes of the activations that must exist at once, for elements of `element_size` bytes: N ids of 8 bytes, which
/// training's backward pass reads again, and the output, N E elements, in either mode.
///
/// The same conditions throw as in `forward_flops`.
/// @throws c10::ValueError if `element_size` is not positive, or the count 2^63 or more.
/// @code
/// packseq::cost::activation_bytes(packseq::cost::Embedding{7, 4}, torch::tensor({3, 2, 1}));   // 6 * (8 + 16) = 144
/// @endcode
PACKSEQ_EXPORT std::int64_t activation_bytes(const Embedding& embedding, const at::Tensor& lengths,
                                             std::int64_t element_size = 4);

}  // namespace packseq::cost
