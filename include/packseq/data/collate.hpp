#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/core/Scalar.h>
#include <torch/data/datasets/map.h>
#include <torch/data/transforms/base.h>

#include <vector>

#include "packseq/data/documents.hpp"
#include "packseq/export.hpp"
#include "packseq/sequence/pack.hpp"
#include "packseq/sequence/pad.hpp"

namespace packseq::data {

/// A packed batch, ready for a network, and what is to be learnt of it. What the documents have not is undefined, as is
/// `token_target.data()` then.
struct PackedBatch {
  PackedSequence input;    ///< The sequences, data [N, *].
  at::Tensor target = {};  ///< The labels, [B, *] in the documents' order.
  /// The label of each token, or the token that comes next; data [N, *], in the same layout as `input`.
  PackedSequence token_target = PackedSequence({}, at::empty({0}, at::kLong));
  std::vector<PackedSequence> features = {};  ///< Likewise what else is known of each token.
  at::Tensor documents = {};                  ///< Which documents of the dataset or the files these are, int64 [B].
};

/// Packs a batch of documents. For `dataset.map`; LibTorch's name for it is a collation.
/// @code
/// auto dataset = packseq::data::DocumentDataset({ids}).map(packseq::data::Pack());
/// const auto batch = dataset.get_batch({0, 2});   // input of data 1 6 2 3, documents 0 2, no targets
/// @endcode
class PACKSEQ_EXPORT Pack : public torch::data::transforms::BatchTransform<Documents, PackedBatch> {
 public:
  /// `pack_sequence` of everything that has tokens, and the labels; the same conditions throw.
  /// @throws c10::ValueError or c10::TypeError if the parts of `documents` do not belong together, or are none that can
  ///   be moved (see `select`).
  PackedBatch apply_batch(Documents documents) override;
};

/// A padded batch, and what is to be learnt of it. What the documents have not is undefined.
struct PaddedBatch {
  at::Tensor input;        ///< [B, T, *]
  at::Tensor lengths;      ///< int64 [B]
  at::Tensor target = {};  ///< As in `PackedBatch`.
  /// [B, T, *]; where there is no token, `ignored_label` if labels are signed integers, else 0: there `lengths` alone
  /// (see `mask`) keeps a loss from counting it.
  at::Tensor token_target = {};
  std::vector<at::Tensor> features = {};  ///< Each [B, T, *], with 0 where there is no token.
  at::Tensor documents = {};              ///< As in `PackedBatch`.
};

/// Pads a batch of documents with a value, 0 unless told otherwise, the id of "<pad>".
/// @code
/// auto dataset = packseq::data::DocumentDataset({ids}).map(packseq::data::Pad());
/// const auto batch = dataset.get_batch({0, 2});   // input 1 2 3, 6 0 0, lengths 3 1, documents 0 2, no targets
/// @endcode
class PACKSEQ_EXPORT Pad : public torch::data::transforms::BatchTransform<Documents, PaddedBatch> {
 public:
  /// `padding_value` is what the input's cells without a token hold.
  explicit Pad(c10::Scalar padding_value = 0) : padding_value_(padding_value) {}

  /// `pad_sequence` of everything that has tokens, the lengths, and the labels; the same conditions throw.
  /// @throws c10::TypeError if what has tokens is of bits, float4 or integers of less than a byte, which no number
  ///   pads, or token labels or features are of float8_e8m0fnu, which has no 0.
  /// @throws c10::ValueError or c10::TypeError if the parts of `documents` do not belong together, or are none that can
  ///   be moved (see `select`).
  PaddedBatch apply_batch(Documents documents) override;

 private:
  c10::Scalar padding_value_;
};

/// Packs a batch for a model that predicts: `token_target` is, for each token, the one that comes next, so that `input`
/// and `features` lack each document's last token.
///
/// A document of one token or none has nothing to predict, and becomes an empty sequence; let the tokenizer put a mark
/// at both ends where the first word and the end are to be learnt as well.
/// @code
/// const std::vector<std::string> marked = {"<s> on your mark </s>", "<s> get set </s>"};
/// const auto words = packseq::Vocab::build(marked);
/// auto dataset = packseq::data::DocumentDataset({packseq::encode(marked, words)}).map(packseq::data::PackNextToken());
/// const auto batch = dataset.get_batch({0});   // input <s> on your mark, token_target on your mark </s>
/// @endcode
class PACKSEQ_EXPORT PackNextToken : public torch::data::transforms::BatchTransform<Documents, PackedBatch> {
 public:
  /// The same conditions throw as in `Pack`.
  /// @throws c10::ValueError if there are token labels, since the next tokens are what is to be learnt.
  PackedBatch apply_batch(Documents documents) override;
};

}  // namespace packseq::data
