#pragma once

#include "packseq/export.hpp"

namespace packseq::engine {

/// Frees the working memory that passes of the fused engine have left for later ones.
///
/// They leave it since to get pages from the system takes longer than a short pass: in the whole process at most twice
/// what the largest pass took, not counting frozen weights. Networks may run meanwhile, and keep what they use.
/// @code
/// packseq::nn::LSTM lstm(4, 5);
/// lstm->forward(embedded);
/// packseq::engine::release_memory();   // the next pass takes memory anew
/// @endcode
PACKSEQ_EXPORT void release_memory() noexcept;

}  // namespace packseq::engine
