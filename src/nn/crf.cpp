#include "packseq/nn/crf.hpp"

#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/isposinf.h>
#include <ATen/ops/zeros.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <c10/util/Exception.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "engine/crf.hpp"
#include "engine/network.hpp"
#include "nn/crf_scheme.hpp"
#include "packseq/nn/detail/cloned.hpp"
#include "packseq/sequence/map.hpp"
#include "sequence/layout.hpp"

namespace packseq::nn {
namespace {

/// A CRF and the batch that it is to run over.
class CrfRun {
 public:
  CrfRun(const char* function, const CRFImpl& crf, const detail::ForbiddenTags& forbidden, const PackedSequence& scores)
      : function_(function), crf_(crf), forbidden_(forbidden), scores_(scores) {
    check_parameters();
    layout_ = packseq::detail::checked_layout(function, scores);
    check_scores();
    const at::Tensor& sorted = scores.sorted_indices();
    run_ = {scores.data().to(crf.transitions.scalar_type()),
            forbidden.in_start(crf.start_transitions),
            forbidden.in_end(crf.end_transitions),
            forbidden.in_transitions(crf.transitions),
            scores.batch_sizes(),
            sorted.defined() ? sorted.cpu() : at::arange(layout_.batch_sizes.front())};
  }

  void set_labels(const PackedSequence& tags) {
    packseq::detail::check_same_layout(function_, scores_, tags);
    const at::Tensor& data = tags.data();
    TORCH_CHECK_VALUE(data.dim() == 1, function_, ": the data of tags has sizes ", data.sizes(), ", and must be [N]");
    TORCH_CHECK_TYPE(data.scalar_type() == at::kLong || data.scalar_type() == at::kInt, function_, ": tags are ",
                     data.scalar_type(), ", and must be Long or Int");
    TORCH_CHECK_TYPE(data.device() == scores_.data().device(), function_, ": tags are on ", data.device(),
                     ", but scores on ", scores_.data().device());
    run_.labels = data.to(at::kLong);
    const at::Tensor labels = run_.labels.cpu().contiguous();
    const auto* const numbers = labels.const_data_ptr<std::int64_t>();
    for (std::int64_t row = 0; row < labels.numel(); ++row) {
      TORCH_CHECK_INDEX(numbers[row] >= 0 && numbers[row] < crf_.options.num_tags, function_, ": the tag of ",
                        place_of(row), " is ", numbers[row], ", and must be in 0 ... ", crf_.options.num_tags - 1);
    }
  }

  bool has_tokens() const { return scores_.data().size(0) > 0; }
  std::int64_t documents() const { return static_cast<std::int64_t>(layout_.lengths.size()); }
  const engine::Crf& run() const { return run_; }

  /// Whether kernels run it.
  bool is_fused() const {
    if (crf_.engine == engine::Choice::libtorch) return false;
    const auto variables = run_.variables();
    const auto support = engine::supports_tensors(variables[0], {}, at::TensorList(variables).slice(1));
    TORCH_CHECK_VALUE(support || crf_.engine == engine::Choice::automatic, function_,
                      ": engine is Choice::fused, but the kernels do not run this: ", support.reason);
    return support.supported;
  }

  /// 0, as a part of the graph: backward works, as for any batch.
  at::Tensor nothing() const {
    at::Tensor sum = run_.scores.sum();
    for (const at::Tensor& parameter : run_.variables()) sum = sum + parameter.narrow(0, 0, 0).sum();
    return sum;
  }

  /// Refuses tags that the scheme forbids, of which no number tells more than that they are impossible.
  void check_labels(const at::Tensor& log_likelihood) const {
    // The least is -infinity or NaN where one is.
    if (!crf_.options.scheme || std::isfinite(log_likelihood.min().item<double>())) return;
    forbidden_.check(function_, *crf_.options.tags, layout_, run_.labels.cpu().contiguous());
  }

  /// Refuses numbers that are none, where documents have such scores.
  void check_decoded(const at::Tensor& of_documents) const {
    const auto is_bad = [](const at::Tensor& numbers) { return numbers.isnan().logical_or(at::isposinf(numbers)); };
    const double largest = of_documents.max().item<double>();  // infinity or NaN where one is
    if (!std::isnan(largest) && largest < std::numeric_limits<double>::infinity()) return;
    const at::Tensor rows = is_bad(run_.scores).any(1).nonzero();
    if (rows.numel() > 0) {
      TORCH_CHECK_VALUE(false, function_, ": the scores of ", place_of(rows[0].item<std::int64_t>()), " hold ",
                        "NaN or infinity, of which there is no best");
    }
    for (const auto& parameter : crf_.named_parameters()) {
      TORCH_CHECK_VALUE(!is_bad(parameter.value()).any().item<bool>(), function_, ": ", parameter.key(),
                        " holds NaN or infinity, of which there is no best");
    }
    TORCH_CHECK_VALUE(false, function_, ": sums of scores are larger than ", run_.scores.scalar_type(), " holds");
  }

 private:
  void check_parameters() const {
    const auto check = [&](const at::Tensor& parameter, const char* name, at::IntArrayRef sizes) {
      TORCH_CHECK_VALUE(parameter.sizes() == sizes, function_, ": ", name, " has sizes ", parameter.sizes(),
                        ", and must be ", sizes);
      TORCH_CHECK_TYPE(
          parameter.scalar_type() == crf_.transitions.scalar_type() && parameter.device() == crf_.transitions.device(),
          function_, ": ", name, " is ", parameter.scalar_type(), " on ", parameter.device(), ", but transitions is ",
          crf_.transitions.scalar_type(), " on ", crf_.transitions.device());
    };
    const std::int64_t tags = crf_.options.num_tags;
    check(crf_.transitions, "transitions", {tags, tags});
    check(crf_.start_transitions, "start_transitions", tags);
    check(crf_.end_transitions, "end_transitions", tags);
  }

  void check_scores() const {
    const at::Tensor& data = scores_.data();
    const at::Tensor& parameter = crf_.transitions;
    TORCH_CHECK_VALUE(data.dim() == 2 && data.size(1) == crf_.options.num_tags, function_, ": the data of scores has ",
                      "sizes ", data.sizes(), ", and must be [N, ", crf_.options.num_tags, "], a score for each tag");
    const auto device = parameter.device().type();
    const bool is_cast = at::isFloatingType(data.scalar_type()) && at::autocast::is_autocast_available(device) &&
                         at::autocast::is_autocast_enabled(device);
    TORCH_CHECK_TYPE(data.device() == parameter.device() && (data.scalar_type() == parameter.scalar_type() || is_cast),
                     function_, ": scores are ", data.scalar_type(), " on ", data.device(), ", but the parameters ",
                     parameter.scalar_type(), " on ", parameter.device());
  }

  std::string place_of(std::int64_t row) const {
    const detail::TokenPlace place = detail::place_of(layout_, row);
    return c10::str("token ", place.step, " of document ", place.document);
  }

  const char* function_;
  const CRFImpl& crf_;
  const detail::ForbiddenTags& forbidden_;
  const PackedSequence& scores_;
  packseq::detail::Layout layout_;
  engine::Crf run_;
};

/// All runs in the parameters' dtype, which autocast would change here and there.
struct WithoutAutocast {
  c10::impl::ExcludeDispatchKeyGuard guard{c10::autocast_dispatch_keyset};
};

at::Tensor reduced(const at::Tensor& log_likelihood, Reduction reduction, std::int64_t tokens) {
  switch (reduction) {
    case Reduction::none:
      return log_likelihood;
    case Reduction::sum:
      return log_likelihood.sum();
    case Reduction::mean:
      return log_likelihood.mean();
    case Reduction::token_mean:
      return log_likelihood.sum() / tokens;
  }
  TORCH_CHECK_VALUE(false, "CRF::log_likelihood: reduction is ", static_cast<int>(reduction), ", which is none");
}

}  // namespace

CRFImpl::CRFImpl(const CRFOptions& of) : options(of), forbidden_(std::make_shared<const detail::ForbiddenTags>(of)) {
  const std::int64_t tags = options.num_tags;
  start_transitions = register_parameter("start_transitions", at::empty({tags}));
  end_transitions = register_parameter("end_transitions", at::empty({tags}));
  transitions = register_parameter("transitions", at::empty({tags, tags}));
  reset_parameters();
}

void CRFImpl::reset_parameters() {
  const at::NoGradGuard no_grad;
  constexpr double most = 0.1;
  for (at::Tensor* parameter : {&start_transitions, &end_transitions, &transitions}) parameter->uniform_(-most, most);
}

at::Tensor CRFImpl::log_likelihood(const PackedSequence& scores, const PackedSequence& tags, Reduction reduction) {
  CrfRun run("CRF::log_likelihood", *this, *forbidden_, scores);
  run.set_labels(tags);
  const WithoutAutocast without_autocast;
  at::Tensor result;
  if (!run.has_tokens()) {
    result = at::zeros({run.documents()}, transitions.options().requires_grad(false)) + run.nothing();
  } else {
    result = run.is_fused() ? engine::crf_log_likelihood(run.run()) : engine::crf_log_likelihood_in_libtorch(run.run());
    run.check_labels(result);
  }
  return reduced(result, reduction, scores.data().size(0));
}

Decoded CRFImpl::decode(const PackedSequence& scores) {
  const at::NoGradGuard no_grad;
  const CrfRun run("CRF::decode", *this, *forbidden_, scores);
  const WithoutAutocast without_autocast;
  if (!run.has_tokens()) {
    return {with_data(scores, at::empty({0}, scores.data().options().dtype(at::kLong))),
            at::zeros({run.documents()}, transitions.options().requires_grad(false))};
  }
  auto best = run.is_fused() ? engine::crf_decode(run.run()) : engine::crf_decode_in_libtorch(run.run());
  run.check_decoded(best.scores);
  return {with_data(scores, std::move(best.tags)), std::move(best.scores)};
}

PackedSequence CRFImpl::marginals(const PackedSequence& scores) {
  const CrfRun run("CRF::marginals", *this, *forbidden_, scores);
  const WithoutAutocast without_autocast;
  if (!run.has_tokens()) return with_data(scores, run.run().scores + run.nothing());
  return with_data(scores,
                   run.is_fused() ? engine::crf_marginals(run.run()) : engine::crf_marginals_in_libtorch(run.run()));
}

std::shared_ptr<torch::nn::Module> CRFImpl::clone(const std::optional<at::Device>& device) const {
  return detail::cloned(*this, device);
}

void CRFImpl::pretty_print(std::ostream& stream) const {
  stream << "packseq::nn::CRF(num_tags=" << options.num_tags << ')';
}

}  // namespace packseq::nn
