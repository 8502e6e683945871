#pragma once

#include <limits>
#include <random>
#include <vector>

#include "packseq/nn/crf.hpp"
#include "packseq/sequence/map.hpp"
#include "packseq/sequence/pack.hpp"
#include "support/gradients.hpp"
#include "support/sequences.hpp"

namespace packseq::test {

inline const std::vector<engine::Choice> both_engines = {engine::Choice::automatic, engine::Choice::libtorch};
inline constexpr double infinity = std::numeric_limits<double>::infinity();

/// A CRF whose parameters are of some size, by both engines the same.
inline nn::CRF make_crf(std::int64_t tags, const at::TensorOptions& options = at::kDouble, double scale = 1) {
  nn::CRF crf(tags);
  crf->to(options.device(), options.dtype().toScalarType());
  const at::NoGradGuard no_grad;
  for (at::Tensor& parameter : crf->parameters()) parameter.normal_(0, scale);
  return crf;
}

/// Documents of these lengths: their scores and tags.
struct CrfDocuments {
  Tensors scores;
  Tensors tags;

  PackedSequence packed_scores() const { return pack_sequence(scores); }
  PackedSequence packed_tags() const { return pack_sequence(tags); }
};

inline CrfDocuments make_documents(const std::vector<std::int64_t>& lengths, std::int64_t tags,
                                   const at::TensorOptions& options = at::kDouble, double scale = 1) {
  CrfDocuments documents;
  for (const std::int64_t length : lengths) {
    documents.scores.push_back(torch::randn({length, tags}, options) * scale);
    documents.tags.push_back(torch::randint(tags, {length}, options.dtype(at::kLong)));
  }
  return documents;
}

/// The score of one sequence of tags.
inline at::Tensor score_of(const nn::CRF& crf, const at::Tensor& scores, const at::Tensor& tags) {
  const std::int64_t length = tags.size(0);
  return crf->start_transitions[tags[0]] + crf->end_transitions[tags[length - 1]] +
         scores.gather(1, tags.unsqueeze(1)).sum() +
         crf->transitions.index({tags.slice(0, 0, length - 1), tags.slice(0, 1)}).sum();
}

/// What all sequences of tags of a document say, each looked at by itself, in LibTorch's operators.
struct CrfEnumerated {
  CrfEnumerated(const nn::CRF& crf, const at::Tensor& scores) {
    const std::int64_t length = scores.size(0);
    const at::Tensor tags = at::arange(crf->options.num_tags, scores.options().dtype(at::kLong));
    paths = length == 1 ? tags.unsqueeze(1) : at::cartesian_prod(Tensors(static_cast<std::size_t>(length), tags));
    Tensors all;
    for (const at::Tensor& path : paths.unbind()) all.push_back(score_of(crf, scores, path));
    path_scores = at::stack(all);
    normaliser = path_scores.logsumexp(0);
  }

  at::Tensor marginals() const {
    const at::Tensor is_tag = at::one_hot(paths);  // [paths, length, K]
    return ((path_scores - normaliser).exp().view({-1, 1, 1}) * is_tag).sum(0);
  }

  at::Tensor paths, path_scores, normaliser;
};

}  // namespace packseq::test
