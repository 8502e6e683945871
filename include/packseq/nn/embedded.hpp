#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "packseq/engine/precision.hpp"
#include "packseq/export.hpp"
#include "packseq/nn/gru.hpp"
#include "packseq/nn/lstm.hpp"
#include "packseq/nn/per_token.hpp"
#include "packseq/nn/result.hpp"
#include "packseq/nn/rnn.hpp"
#include "packseq/sequence/pack.hpp"

namespace packseq::nn {

namespace detail {
struct Frozen;
}

/// Where a larger part of a batch's tokens are distinct words, to multiply each once would save no time.
inline constexpr double most_distinct = 0.85;

/// An `Embedding` and the network behind it, as one module over packed ids that multiplies no word twice, and computes
/// no beginning of a document twice.
///
/// What a word adds to the gates of the first layer depends on the word alone. In the fused engine it is computed once
/// for each distinct word of a batch, of either direction; in training, the gradients of a word are summed before they
/// are multiplied. Documents that begin with the same words, from states that are equal to the bit, have the same
/// states until they part: these, too, are computed once, in all layers; in training, the gradients of the documents
/// that share them are summed first. In a bidirectional network the documents share beginnings in one direction of the
/// first layer, and ends in the other; with dropout between layers, in training, beginnings in the first layer. Nothing
/// is shared if the given state records gradients.
///
/// The results are those of the two modules one after the other, to the last bit; gradients differ by rounding alone.
/// Where few words or beginnings repeat (`most_distinct`, `most_beginnings`) each is computed wherever it comes; where
/// the engine does not run the network, the modules do run one after the other. Many threads may run one network at
/// once as long as none changes it.
///
/// The two modules stay what they are, and may be used by others as well; in the `state_dict` their names are
/// "embedding" and "lstm", "gru" or "rnn".
template <class Network>
class PACKSEQ_EXPORT EmbeddedImpl : public torch::nn::Module {
 public:
  /// @throws c10::ValueError if a module is empty, or the network's input is not as wide as the embedding.
  EmbeddedImpl(Embedding embedding, Network network);

  /// Runs the network over every document of `ids`, data int64 or int32 [N], from `state`, or from zeros where it is
  /// undefined; `keep` as for the network.
  /// @throws c10::TypeError if the data of `ids` is neither int64 nor int32, or not on the embedding's device.
  /// @throws c10::ValueError if the data of `ids` is not [N]. Otherwise as `forward` of the network.
  /// @throws c10::IndexError if an id is not that of a row of the embedding's weight.
  /// @code
  /// packseq::nn::EmbeddedLSTM network(packseq::nn::Embedding(vocab.size(), 4), packseq::nn::LSTM(4, 5));
  /// const auto [output, state] = network->forward(packed);   // output.data() [6, 5], state.h and state.c [1, 3, 5]
  /// @endcode
  Result forward(const PackedSequence& ids, const State& state = {}, const Keep& keep = {});

  /// Computes what each word adds to the gates, for inference over many batches, in a table of at most `max_bytes`: of
  /// as many words as fit, from id 0 on. In a `Vocab`'s order these are the most frequent ones; what others add is
  /// still computed batch by batch. The weights of the network are frozen, too, see its `freeze`.
  ///
  /// The table is used until a pass of this module records gradients, since training changes weights, or a weight is
  /// changed or replaced otherwise; then call it again. What LibTorch does not count `packseq::engine::freeze` tells.
  /// It is of the precision in which the network ran then (see its `precision`), and not used in the other: sums, so
  /// of Float in either. A table that is not used keeps its memory until then. No other thread may run the network
  /// meanwhile.
  /// @throws c10::ValueError if `max_bytes` is less than one word takes, or the embedding has a `max_norm`, with which
  ///   it changes as it runs.
  /// @throws c10::ValueError if weights have not the sizes that the options tell.
  /// @throws c10::ValueError if the fused engine does not run the network (see `packseq::engine::supports`), or its
  ///   `engine` is `Choice::libtorch`.
  /// @code
  /// packseq::nn::EmbeddedLSTM network(packseq::nn::Embedding(vocab.size(), 4), packseq::nn::LSTM(4, 5));
  /// network->freeze();
  /// network->frozen_words();     // 7
  /// const torch::NoGradGuard no_grad;
  /// network->forward(packed);    // and so on for each batch
  /// network->unfreeze();
  /// @endcode
  void freeze(std::int64_t max_bytes = std::int64_t{256} << 20);

  /// Takes back what `freeze` did, if it did.
  void unfreeze();

  /// How many words are looked up in the table now; 0 if there is none, or it is not used any more.
  std::int64_t frozen_words() const;

  /// A deep copy, without a table.
  std::shared_ptr<torch::nn::Module> clone(const std::optional<at::Device>& device = {}) const override;

  Embedding embedding;  ///< From ids to vectors.
  Network network;      ///< The LSTM, GRU or RNN behind it.
  /// Each beginning is computed once where a batch has at most so many distinct ones for each token; a document of n
  /// tokens has n. The constructor takes what saves its network, by its size, time, from .9 of wide ones to 0 of narrow
  /// ones: 0 is never, 1 always.
  double most_beginnings;

 protected:
  FORWARD_HAS_DEFAULT_ARGS({1, torch::nn::AnyValue(State())}, {2, torch::nn::AnyValue(Keep())})

 private:
  std::int64_t known_words(const std::vector<at::Tensor>& weights, packseq::engine::Precision precision) const;
  std::vector<at::Tensor> first_weights(std::vector<at::Tensor> weights) const;

  std::shared_ptr<const detail::Frozen> frozen_;
  std::atomic<bool> is_trained_ = false;  // since it was frozen
};

extern template class EmbeddedImpl<LSTM>;
extern template class EmbeddedImpl<GRU>;
extern template class EmbeddedImpl<RNN>;

/// A module holder for `EmbeddedImpl`: a shared pointer with constructors and `operator()`.
template <class Network>
using Embedded = torch::nn::ModuleHolder<EmbeddedImpl<Network>>;

using EmbeddedLSTM = Embedded<LSTM>;  ///< `Embedding` and `LSTM`.
using EmbeddedGRU = Embedded<GRU>;    ///< `Embedding` and `GRU`.
using EmbeddedRNN = Embedded<RNN>;    ///< `Embedding` and `RNN`.

}  // namespace packseq::nn
