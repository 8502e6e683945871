#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "engine/crf.hpp"
#include "sequence/layout.hpp"

namespace packseq::engine {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// The steps of a batch, each with a row for each document that reaches it, longest first.
class CrfSteps {
 public:
  explicit CrfSteps(const Crf& crf) : order_(crf.order) {
    const at::Tensor sizes = crf.batch_sizes.contiguous();
    sizes_.assign(sizes.const_data_ptr<std::int64_t>(), sizes.const_data_ptr<std::int64_t>() + sizes.numel());
    scores_ = split(crf.scores);
  }

  std::size_t count() const { return sizes_.size(); }
  std::int64_t size(std::size_t step) const { return step < count() ? sizes_[step] : 0; }
  const at::Tensor& scores(std::size_t step) const { return scores_[step]; }

  /// Each step's rows. Backward that is one cat, where to narrow is a tensor of zeros for each step.
  std::vector<at::Tensor> split(const at::Tensor& rows) const { return rows.split_with_sizes(sizes_); }

  /// Of a row for each document that reaches a step, those of the documents that go on behind it,
  at::Tensor going_on(std::size_t step, const at::Tensor& rows) const { return rows.slice(0, 0, size(step + 1)); }
  /// and those of the others.
  at::Tensor ending(std::size_t step, const at::Tensor& rows) const { return rows.slice(0, size(step + 1)); }

  /// From a row for each document, at the step where it ends, to all of them, longest first.
  at::Tensor by_rank(const std::vector<at::Tensor>& of_steps) const {
    std::vector<at::Tensor> ending_rows;
    for (std::size_t t = count(); t-- > 0;) ending_rows.push_back(ending(t, of_steps[t]));
    return at::cat(ending_rows);
  }

  /// From numbers of documents that are not empty, longest first, to the caller's order; of empty ones they are 0.
  at::Tensor in_callers_order(const at::Tensor& numbers) const {
    const at::Tensor order = order_.narrow(0, 0, size(0)).to(numbers.device());
    return at::zeros({order_.numel()}, numbers.options()).index_copy(0, order, numbers);
  }

  /// The rank of each token's document, int64 [N] on the CPU.
  at::Tensor ranks() const {
    std::vector<std::int64_t> numbers;
    for (const std::int64_t size : sizes_) {
      for (std::int64_t rank = 0; rank < size; ++rank) numbers.push_back(rank);
    }
    return packseq::detail::to_tensor(numbers);
  }

 private:
  const at::Tensor& order_;
  std::vector<std::int64_t> sizes_;
  std::vector<at::Tensor> scores_;
};

/// The logarithm of the sum of exponentials. Where all are -infinity its gradient is 0, not NaN as that of LibTorch's:
/// no sequence of tags goes there.
at::Tensor log_sum(const at::Tensor& x, std::int64_t dim) {
  at::Tensor largest = x.detach().amax(dim, /*keepdim=*/true);
  largest = largest.masked_fill(largest == -infinity, 0);
  const at::Tensor sum = (x - largest).exp().sum(dim);
  const at::Tensor is_none = sum == 0;
  return sum.masked_fill(is_none, 1).log().masked_fill(is_none, -infinity) + largest.squeeze(dim);
}

/// Of all sequences of tags up to a token the logarithm of the sum of those that end in each tag: for each step [*, K].
std::vector<at::Tensor> forward_sums(const Crf& crf, const CrfSteps& steps) {
  std::vector<at::Tensor> sums = {crf.start + steps.scores(0)};
  for (std::size_t t = 1; t < steps.count(); ++t) {
    const at::Tensor before = steps.going_on(t - 1, sums.back());
    sums.push_back(log_sum(before.unsqueeze(2) + crf.transitions, 1) + steps.scores(t));
  }
  return sums;
}

/// The score of `tags`, int64 [N], by document, longest first.
at::Tensor score_of(const Crf& crf, const CrfSteps& steps, const at::Tensor& tags) {
  const std::int64_t documents = steps.size(0);
  const auto of_steps = steps.split(tags);
  std::vector<at::Tensor> previous;
  for (std::size_t t = 0; t + 1 < steps.count(); ++t) previous.push_back(steps.going_on(t, of_steps[t]));
  at::Tensor scores = crf.scores.gather(1, tags.unsqueeze(1)).squeeze(1);
  std::vector<at::Tensor> moves = {crf.start.index_select(0, of_steps[0])};
  if (!previous.empty()) {
    const at::Tensor cells = at::cat(previous) * crf.start.numel() + tags.slice(0, documents);
    moves.push_back(crf.transitions.flatten().index_select(0, cells));
  }
  scores = scores + at::cat(moves);
  const at::Tensor ranks = steps.ranks().to(scores.device());
  const at::Tensor sums = at::zeros({documents}, scores.options()).index_add(0, ranks, scores);
  return sums + crf.end.index_select(0, steps.by_rank(of_steps));
}

}  // namespace

at::Tensor crf_log_likelihood_in_libtorch(const Crf& crf) {
  const CrfSteps steps(crf);
  // Not by `log_sum`: NaN, as are its gradients, of a document of which all sequences are forbidden, or one infinite.
  const at::Tensor sums = steps.by_rank(forward_sums(crf, steps)) + crf.end;
  const at::Tensor largest = sums.detach().amax(1, /*keepdim=*/true);
  at::Tensor result = -((sums - largest).exp().sum(1).log() + largest.squeeze(1));
  if (crf.labels.defined()) result = score_of(crf, steps, crf.labels) + result;
  return steps.in_callers_order(result);
}

at::Tensor crf_marginals_in_libtorch(const Crf& crf) {
  const CrfSteps steps(crf);
  std::vector<at::Tensor> logs = forward_sums(crf, steps);
  at::Tensor after;  // of all that comes behind a tag
  for (std::size_t t = steps.count(); t-- > 0;) {
    const at::Tensor of_ending = crf.end.expand({steps.size(t) - steps.size(t + 1), -1});
    if (t + 1 == steps.count()) {
      after = of_ending;
    } else {
      const at::Tensor next = after + steps.scores(t + 1);
      after = at::cat({log_sum(crf.transitions + next.unsqueeze(1), 2), of_ending});
    }
    logs[t] = (logs[t] + after).softmax(1);
  }
  return at::cat(logs);
}

CrfBest crf_decode_in_libtorch(const Crf& crf) {
  const at::NoGradGuard no_grad;
  const CrfSteps steps(crf);
  std::vector<at::Tensor> best = {crf.start + steps.scores(0)};
  std::vector<at::Tensor> before;  // the best tag before each tag of a step
  for (std::size_t t = 1; t < steps.count(); ++t) {
    auto [largest, tags] = (steps.going_on(t - 1, best.back()).unsqueeze(2) + crf.transitions).max(1);
    best.push_back(largest + steps.scores(t));
    before.push_back(std::move(tags));
  }
  std::vector<at::Tensor> tags(steps.count());
  for (std::size_t t = steps.count(); t-- > 0;) {
    tags[t] = (steps.ending(t, best[t]) + crf.end).argmax(1);
    if (t + 1 == steps.count()) continue;
    tags[t] = at::cat({before[t].gather(1, tags[t + 1].unsqueeze(1)).squeeze(1), tags[t]});
  }
  const at::Tensor all = at::cat(tags);
  // Of transitions, too, that no document has, NaN and infinity have no best.
  const at::Tensor has_best = crf.transitions.max() < infinity;
  const at::Tensor scores = score_of(crf, steps, all).masked_fill(has_best.logical_not(), not_a_number);
  return {all, steps.in_callers_order(scores)};
}

}  // namespace packseq::engine
