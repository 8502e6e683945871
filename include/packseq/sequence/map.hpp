#pragma once

#include <torch/nn/utils/rnn.h>

#include <functional>
#include <utility>

#include "packseq/export.hpp"
#include "packseq/sequence/pack.hpp"

namespace packseq {

/// The same layout around other data.
/// @throws c10::ValueError if `data` is undefined or has not as many rows as `packed.data()`.
/// @throws c10::TypeError if `data` is not on the device of `packed`.
/// @code
/// const auto doubled = packseq::with_data(packed, packed.data() * 2);
/// @endcode
PACKSEQ_EXPORT PackedSequence with_data(const PackedSequence& packed, at::Tensor data);

/// Applies a function or module to every token: `token_function` takes `packed.data()` [N, *] and returns [N, *].
///
/// Only real tokens are computed; anything that treats its rows one by one fits: Embedding, Linear, dropout. The same
/// conditions throw as in `with_data`.
/// @code
/// torch::nn::Embedding embedding(vocab.size(), 4);
/// const auto embedded = packseq::map(packed, embedding);   // data [6, 4]
/// @endcode
template <class TokenFunction>
PackedSequence map(const PackedSequence& packed, TokenFunction&& token_function) {
  return with_data(packed, std::invoke(std::forward<TokenFunction>(token_function), packed.data()));
}

}  // namespace packseq
