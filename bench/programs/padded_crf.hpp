#pragma once

#include <ATen/core/Tensor.h>

#include "packseq/nn/crf.hpp"

namespace packseq::bench {

/// A CRF over a padded batch in LibTorch's operators, as pytorch-crf has it: every step works on every document, and a
/// mask says whose result counts.
class PaddedCrf {
 public:
  explicit PaddedCrf(const nn::CRF& crf) : crf_(crf) {}

  /// The sum of log-likelihoods; `scores` [T, B, K], `tags` int64 [T, B], `mask` bool [T, B].
  at::Tensor log_likelihood(const at::Tensor& scores, const at::Tensor& tags, const at::Tensor& mask) const;

  /// The tags of the highest score, int64 [T, B]; in the padding 0.
  at::Tensor decode(const at::Tensor& scores, const at::Tensor& mask) const;

 private:
  at::Tensor score_of(const at::Tensor& scores, const at::Tensor& tags, const at::Tensor& mask) const;
  at::Tensor normaliser(const at::Tensor& scores, const at::Tensor& mask) const;

  nn::CRF crf_;
};

}  // namespace packseq::bench
