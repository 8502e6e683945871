#pragma once

#include <ATen/core/Tensor.h>
#include <torch/data/datasets/map.h>
#include <torch/data/transforms/base.h>

#include <cstdint>

#include "packseq/data/documents.hpp"
#include "packseq/export.hpp"
#include "packseq/sequence/pack.hpp"
#include "packseq/sequence/pad.hpp"

namespace packseq::data {

/// A packed batch, ready for a network, and what is to be learnt of each document.
struct PackedBatch {
  PackedSequence input;  ///< Data int64 [N].
  at::Tensor target;     ///< The labels, int64 [B] in the documents' order; undefined where there are none.
};

/// Packs a batch of documents. For `dataset.map`; LibTorch's name for it is a collation.
/// @code
/// auto dataset = packseq::data::DocumentDataset({ids}).map(packseq::data::Pack());
/// const auto batch = dataset.get_batch({0, 2});   // input of data 1 6 2 3, no target
/// @endcode
class PACKSEQ_EXPORT Pack : public torch::data::transforms::BatchTransform<Documents, PackedBatch> {
 public:
  /// `pack_sequence` of the ids, and the labels; the same conditions throw.
  PackedBatch apply_batch(Documents documents) override;
};

/// A padded batch, and what is to be learnt of each document.
struct PaddedBatch {
  at::Tensor input;    ///< int64 [B, T]
  at::Tensor lengths;  ///< int64 [B]
  at::Tensor target;   ///< As in `PackedBatch`.
};

/// Pads a batch of documents with an id, that of "<pad>" unless told otherwise.
/// @code
/// auto dataset = packseq::data::DocumentDataset({ids}).map(packseq::data::Pad());
/// const auto batch = dataset.get_batch({0, 2});   // input 1 2 3, 6 0 0, lengths 3 1, no target
/// @endcode
class PACKSEQ_EXPORT Pad : public torch::data::transforms::BatchTransform<Documents, PaddedBatch> {
 public:
  /// `padding_id` is what cells without a token hold.
  explicit Pad(std::int64_t padding_id = 0) : padding_id_(padding_id) {}

  /// `pad_sequence` of the ids, their lengths, and the labels; the same conditions throw.
  PaddedBatch apply_batch(Documents documents) override;

 private:
  std::int64_t padding_id_;
};

/// Packed documents, and for each of their tokens the one that comes next.
struct NextTokenBatch {
  PackedSequence input;   ///< All tokens but each document's last,
  PackedSequence target;  ///< and all but its first, in the same places: data int64, [N - B] if none is empty.
};

/// Packs a batch for a language model. A document of one token or none has nothing to predict, and becomes an empty
/// sequence; let the tokenizer put a mark at both ends where the first word and the end are to be learnt as well.
/// Labels are left out.
/// @code
/// const std::vector<std::string> marked = {"<s> on your mark </s>", "<s> get set </s>"};
/// const auto words = packseq::Vocab::build(marked);
/// auto dataset = packseq::data::DocumentDataset({packseq::encode(marked, words)}).map(packseq::data::PackNextToken());
/// const auto batch = dataset.get_batch({0});   // input <s> on your mark, target on your mark </s>
/// @endcode
class PACKSEQ_EXPORT PackNextToken : public torch::data::transforms::BatchTransform<Documents, NextTokenBatch> {
 public:
  /// The same conditions throw as in `pack_sequence`.
  NextTokenBatch apply_batch(Documents documents) override;
};

}  // namespace packseq::data
