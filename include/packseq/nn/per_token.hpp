#pragma once

#include <torch/nn/modules/dropout.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>

#include <memory>
#include <optional>

#include "packseq/export.hpp"
#include "packseq/nn/detail/cloned.hpp"
#include "packseq/sequence/map.hpp"

namespace packseq::nn {

/// A module of LibTorch that treats each row by itself, over packed sequences: the same options, parameters, initial
/// numbers and `state_dict`.
///
/// `TorchImpl` has options, a `forward` from [N, *] to [N, *], and no submodules: Embedding, Linear, Dropout,
/// LayerNorm; not BatchNorm, which mixes rows. As with LibTorch's modules, many threads may run one module at once as
/// long as none changes it; an Embedding with `max_norm` changes itself as it runs.
template <class TorchImpl>
class PerTokenImpl : public TorchImpl {
 public:
  using TorchImpl::TorchImpl;

  /// `TorchImpl::forward` of every token of `input`, as `map` does it, under the same conditions.
  PackedSequence forward(const PackedSequence& input) {
    return map(input, [this](const at::Tensor& data) { return TorchImpl::forward(data); });
  }

  /// A deep copy, of this class (torch's own `clone` would return a `TorchImpl`).
  std::shared_ptr<torch::nn::Module> clone(const std::optional<at::Device>& device = {}) const override {
    return detail::cloned(*this, device);
  }
};

extern template class PACKSEQ_EXPORT PerTokenImpl<torch::nn::EmbeddingImpl>;
extern template class PACKSEQ_EXPORT PerTokenImpl<torch::nn::LinearImpl>;
extern template class PACKSEQ_EXPORT PerTokenImpl<torch::nn::DropoutImpl>;

/// A module holder for `PerTokenImpl`: a shared pointer with constructors and `operator()`.
/// @code
/// packseq::nn::PerToken<torch::nn::LayerNormImpl> norm(torch::nn::LayerNormOptions({4}));
/// const auto normed = norm->forward(embedded);   // data [6, 4]
/// @endcode
template <class TorchImpl>
using PerToken = torch::nn::ModuleHolder<PerTokenImpl<TorchImpl>>;

/// `torch::nn::Embedding`, from a packed batch of ids, data int64 [N], to one of vectors, data [N, embedding_dim].
/// @code
/// torch::nn::Sequential tagger(packseq::nn::Embedding(7, 4), packseq::nn::LSTM(4, 5), packseq::nn::TakeOutput(),
///                              packseq::nn::Dropout(0.2), packseq::nn::Linear(5, 2));
/// const auto scores = tagger->forward<packseq::PackedSequence>(packed);   // data [6, 2]
/// @endcode
class PACKSEQ_EXPORT Embedding : public PerToken<torch::nn::EmbeddingImpl> {
 public:
  using PerToken<torch::nn::EmbeddingImpl>::ModuleHolder;

  /// An embedding whose weight is `embeddings`, a floating-point [num_embeddings, embedding_dim], itself: as
  /// `torch::nn::Embedding::from_pretrained`, with its options. It is frozen unless the options say otherwise.
  /// @throws c10::ValueError if `embeddings` is not a floating-point [*, *].
  /// @throws c10::Error if `options.padding_idx` is not the number of a row, from either end.
  /// @code
  /// packseq::WordVectorReader vectors("glove.txt");
  /// const auto table = packseq::nn::read_vector_table(vectors, vocab);
  /// auto words = packseq::nn::Embedding::from_pretrained(
  ///     table.weight, torch::nn::EmbeddingFromPretrainedOptions().freeze(false).padding_idx(table.padding_idx));
  /// @endcode
  static Embedding from_pretrained(const at::Tensor& embeddings,
                                   const torch::nn::EmbeddingFromPretrainedOptions& options = {});
};

/// `torch::nn::Linear`, data [N, in_features] to [N, out_features].
using Linear = PerToken<torch::nn::LinearImpl>;

/// `torch::nn::Dropout`, of numbers, not of whole tokens.
using Dropout = PerToken<torch::nn::DropoutImpl>;

}  // namespace packseq::nn
