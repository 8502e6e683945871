#pragma once

#include <torch/nn/modules/dropout.h>
#include <torch/nn/pimpl.h>

#include <memory>
#include <optional>

#include "packseq/export.hpp"
#include "packseq/nn/detail/cloned.hpp"
#include "packseq/sequence/pack.hpp"

namespace packseq::nn {

/// Dropout with one mask for each document, the same in all its steps, before or behind a recurrent network: Gal &
/// Ghahramani, "A Theoretically Grounded Application of Dropout in Recurrent Neural Networks" (2016).
///
/// `Dropout` draws anew for every token, so that a network that reads many of them sees all numbers in the end. The
/// options are those of `torch::nn::Dropout`. As with LibTorch's modules, many threads may run one module at once as
/// long as none changes it.
class PACKSEQ_EXPORT LockedDropoutImpl : public torch::nn::DropoutImpl {
 public:
  using torch::nn::DropoutImpl::DropoutImpl;

  /// In training, each number of a document with probability p zero in all steps, and else times 1 / (1 - p); in
  /// evaluation, `input` itself. Data [N, *], and a document's mask has the sizes *.
  ///
  /// The mask is drawn from LibTorch's generator for the device of `input`, document by document.
  /// @throws c10::ValueError or c10::TypeError if `input` is malformed (see `lengths`).
  /// @throws c10::TypeError if its data is neither floating-point nor complex, or of float8, which LibTorch does not
  ///   multiply.
  PackedSequence forward(const PackedSequence& input);

  /// A deep copy, of this class (torch's own `clone` would return a `torch::nn::Dropout`).
  std::shared_ptr<torch::nn::Module> clone(const std::optional<at::Device>& device = {}) const override;
};

/// A module holder for `LockedDropoutImpl`: a shared pointer with constructors and `operator()`.
/// @code
/// namespace nn = packseq::nn;
/// torch::nn::Sequential tagger(nn::Embedding(7, 4), nn::LockedDropout(0.2), nn::LSTM(4, 5), nn::TakeOutput(),
///                              nn::LockedDropout(0.5), nn::Linear(5, 2));
/// const auto scores = tagger->forward<packseq::PackedSequence>(packed);   // data [6, 2]
/// @endcode
TORCH_MODULE(LockedDropout);

}  // namespace packseq::nn
