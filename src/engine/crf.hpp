#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace packseq::engine {

/// A linear-chain conditional random field over a packed batch with tokens: N of them, in B documents of which B' are
/// not empty; K tags. All floating-point tensors are of one dtype, on one device.
struct Crf {
  at::Tensor scores;       ///< [N, K]
  at::Tensor start;        ///< The score of a first tag, [K].
  at::Tensor end;          ///< The score of a last tag, [K].
  at::Tensor transitions;  ///< In row i and column j the score of j behind i, [K, K].
  at::Tensor batch_sizes;  ///< int64 [T] on the CPU; the first entry is B', the last one is not 0.
  at::Tensor order;        ///< int64 [B] on the CPU: the documents, longest first.
  at::Tensor labels = {};  ///< int64 [N], in 0 ... K - 1, on the device of `scores`; or undefined.

  /// What can have gradients.
  std::vector<at::Tensor> variables() const { return {scores, start, end, transitions}; }
};

/// The tags of the highest score.
struct CrfBest {
  at::Tensor tags;    ///< int64 [N]
  at::Tensor scores;  ///< [B]; of an empty document 0.
};

/// The log-likelihood of the labels, [B] in the caller's order; without labels, minus the logarithm of the normaliser.
/// Of an empty document it is 0. By kernels, with gradients where LibTorch would record them: tensors of float or
/// double on the CPU, or of bfloat16, which are computed in float, and rounded at the end.
at::Tensor crf_log_likelihood(const Crf& crf);

/// The probability of each tag of each token, [N, K]; likewise.
at::Tensor crf_marginals(const Crf& crf);

/// Likewise, without gradients.
CrfBest crf_decode(const Crf& crf);

/// The same three by LibTorch's operators, which can be differentiated again.
at::Tensor crf_log_likelihood_in_libtorch(const Crf& crf);
at::Tensor crf_marginals_in_libtorch(const Crf& crf);
CrfBest crf_decode_in_libtorch(const Crf& crf);

}  // namespace packseq::engine
