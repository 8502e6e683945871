#pragma once

#include <torch/nn/utils/rnn.h>

#include <functional>
#include <utility>

#include "packseq/export.hpp"
#include "packseq/sequence/pack.hpp"

namespace packseq {

/// The same layout around other data.
/// @throws c10::ValueError if `data` or `packed.data()` is undefined or a scalar, or they differ in rows.
/// @throws c10::TypeError if `data` is sparse or nested, or not on the device of `packed`.
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

namespace detail {

/// Refuses two packed batches that do not have the same documents' tokens in the same places.
PACKSEQ_EXPORT void check_same_layout(const char* function, const PackedSequence& first, const PackedSequence& second);

}  // namespace detail

/// Combines two packed batches of one layout token by token: `token_function` takes the data of both, [N, *] each, and
/// returns [N, *].
///
/// The same conditions throw as in `with_data`.
/// @throws c10::ValueError or c10::TypeError if a batch is malformed (see `lengths`).
/// @throws c10::ValueError if the two differ in `batch_sizes` or in the order of their documents.
/// @code
/// const auto joined = packseq::map(embedded, output,
///                                  [](const auto& a, const auto& b) { return torch::cat({a, b}, 1); });
/// @endcode
template <class TokenFunction>
PackedSequence map(const PackedSequence& first, const PackedSequence& second, TokenFunction&& token_function) {
  detail::check_same_layout("map", first, second);
  return with_data(first, std::invoke(std::forward<TokenFunction>(token_function), first.data(), second.data()));
}

}  // namespace packseq
