#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "packseq/export.hpp"
#include "packseq/sequence/pack.hpp"

namespace packseq::data {

/// A loss of rows: it takes scores [N, *] and targets, [N] or [N, *], and gives a tensor.
using TokenLoss = std::function<at::Tensor(const at::Tensor& scores, const at::Tensor& targets)>;

/// A loss over all real tokens of a packed batch, each counted once. Padding cannot count: there is none.
///
/// Any loss module of LibTorch fits; its `reduction` says whether it is the tokens' mean (that of no token is NaN),
/// their sum, or one number for each, in the order of `scores.data()`.
/// @throws c10::ValueError if `loss` is empty, or `targets` has no data, since the documents have no token labels.
/// @throws c10::ValueError or c10::TypeError if a batch is malformed (see `lengths`).
/// @throws c10::ValueError if the two differ in `batch_sizes` or in the order of their documents.
/// @code
/// const auto batch = packseq::data::PackNextToken().apply_batch({ids});
/// torch::nn::Sequential model(packseq::nn::Embedding(vocab.size(), 4), packseq::nn::LSTM(4, 5),
///                             packseq::nn::TakeOutput(), packseq::nn::Linear(5, vocab.size()));
/// const auto scores = model->forward<packseq::PackedSequence>(batch.input);
/// const auto loss = packseq::data::token_loss(scores, batch.token_target, torch::nn::CrossEntropyLoss());
/// @endcode
PACKSEQ_EXPORT at::Tensor token_loss(const PackedSequence& scores, const PackedSequence& targets,
                                     const TokenLoss& loss);

}  // namespace packseq::data
