#include "programs/padded_crf.hpp"

#include <ATen/Functions.h>
#include <ATen/TensorIndexing.h>

#include <cstdint>
#include <tuple>
#include <vector>

namespace packseq::bench {

at::Tensor PaddedCrf::score_of(const at::Tensor& scores, const at::Tensor& tags, const at::Tensor& mask) const {
  const at::Tensor is_real = mask.to(scores.scalar_type());
  const at::Tensor of_tags = scores.gather(2, tags.unsqueeze(2)).squeeze(2);
  at::Tensor score = crf_->start_transitions.index({tags[0]}) + of_tags[0];
  for (std::int64_t t = 1; t < scores.size(0); ++t) {
    score = score + (crf_->transitions.index({tags[t - 1], tags[t]}) + of_tags[t]) * is_real[t];
  }
  const at::Tensor last = mask.to(at::kLong).sum(0) - 1;
  return score + crf_->end_transitions.index({tags.gather(0, last.unsqueeze(0)).squeeze(0)});
}

at::Tensor PaddedCrf::normaliser(const at::Tensor& scores, const at::Tensor& mask) const {
  at::Tensor sums = crf_->start_transitions + scores[0];
  for (std::int64_t t = 1; t < scores.size(0); ++t) {
    const at::Tensor next = (sums.unsqueeze(2) + crf_->transitions + scores[t].unsqueeze(1)).logsumexp(1);
    sums = at::where(mask[t].unsqueeze(1), next, sums);
  }
  return (sums + crf_->end_transitions).logsumexp(1);
}

at::Tensor PaddedCrf::log_likelihood(const at::Tensor& scores, const at::Tensor& tags, const at::Tensor& mask) const {
  return (score_of(scores, tags, mask) - normaliser(scores, mask)).sum();
}

at::Tensor PaddedCrf::decode(const at::Tensor& scores, const at::Tensor& mask) const {
  at::Tensor best = crf_->start_transitions + scores[0];
  std::vector<at::Tensor> before;
  for (std::int64_t t = 1; t < scores.size(0); ++t) {
    const auto [next, tags] = (best.unsqueeze(2) + crf_->transitions + scores[t].unsqueeze(1)).max(1);
    best = at::where(mask[t].unsqueeze(1), next, best);
    before.push_back(tags);
  }
  const at::Tensor last = (best + crf_->end_transitions).argmax(1);
  // pytorch-crf goes back tag by tag in Python; here it costs next to nothing.
  const at::Tensor lengths = mask.to(at::kLong).sum(0);
  at::Tensor result = at::zeros(mask.sizes(), at::kLong);
  auto tags = result.accessor<std::int64_t, 2>();
  for (std::int64_t i = 0; i < mask.size(1); ++i) {
    std::int64_t t = lengths.const_data_ptr<std::int64_t>()[i] - 1;
    tags[t][i] = last.const_data_ptr<std::int64_t>()[i];
    for (; t > 0; --t) {
      const auto* const row = before[static_cast<std::size_t>(t - 1)].const_data_ptr<std::int64_t>();
      tags[t - 1][i] = row[i * scores.size(2) + tags[t][i]];
    }
  }
  return result;
}

}  // namespace packseq::bench
