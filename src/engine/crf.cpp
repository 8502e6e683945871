#include "engine/crf.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <c10/macros/Macros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cstdint>
#include <utility>

#include "engine/autograd.hpp"
#include "engine/dtypes.hpp"
#include "engine/tensor_numbers.hpp"
#include "engine/threads.hpp"
#include "kernels/crf.hpp"

namespace packseq::engine {
namespace {

using at::Tensor;
using Tensors = std::vector<Tensor>;
using torch::autograd::AutogradContext;

/// The same CRF in numbers that the kernels know, with gradients; what they make of it is to be brought back.
Crf computed(Crf crf) {
  const c10::ScalarType dtype = computed_dtype(crf.scores.scalar_type());
  for (Tensor* tensor : {&crf.scores, &crf.start, &crf.end, &crf.transitions}) *tensor = tensor->to(dtype);
  return crf;
}

/// A CRF of contiguous tensors, which the kernels want.
Crf contiguous(Crf crf) {
  for (Tensor* tensor : {&crf.scores, &crf.start, &crf.end, &crf.transitions, &crf.batch_sizes, &crf.order}) {
    *tensor = tensor->contiguous();
  }
  if (crf.labels.defined()) crf.labels = crf.labels.contiguous();
  return crf;
}

/// What all passes read; the tensors must be contiguous and live as long as it.
template <class Pass>
Pass pass_over(const Crf& crf) {
  using T = std::remove_const_t<std::remove_pointer_t<decltype(Pass::scores)>>;
  Pass pass;
  pass.tags = size(crf.start.numel());
  pass.start = pointer<T>(crf.start);
  pass.end = pointer<T>(crf.end);
  pass.transitions = pointer<T>(crf.transitions);
  pass.batch_sizes = {pointer<std::int64_t>(crf.batch_sizes), size(crf.batch_sizes.numel())};
  pass.order = pointer<std::int64_t>(crf.order);
  pass.scores = pointer<T>(crf.scores);
  if constexpr (requires { pass.labels; }) pass.labels = pointer<std::int64_t>(crf.labels);
  return pass;
}

at::TensorOptions options_of(const Crf& crf) { return crf.scores.options().requires_grad(false); }

/// Log-likelihoods, [B]; fills `sums`, [N, K], where it is defined.
template <class T>
Tensor forward(const Crf& crf, const Tensor& sums) {
  Tensor result = at::zeros({crf.order.numel()}, options_of(crf));
  auto pass = pass_over<kernels::CrfForward<T>>(crf);
  pass.log_likelihood = result.mutable_data_ptr<T>();
  pass.sums = sums.defined() ? sums.mutable_data_ptr<T>() : nullptr;
  kernels::run(pass, threads(), parallel);
  return result;
}

Tensor run_crf_forward(const Crf& crf, const Tensor& sums) {
  return crf.scores.scalar_type() == at::kFloat ? forward<float>(crf, sums) : forward<double>(crf, sums);
}

/// The gradients of `Crf::variables`, those of the scores or of the parameters undefined where they are not needed.
template <class T>
Tensors backward(const Crf& crf, const Tensor& sums, const Tensor& gradient, bool of_scores, bool of_parameters) {
  Tensors gradients(4);
  auto pass = pass_over<kernels::CrfBackward<T>>(crf);
  pass.sums = pointer<T>(sums);
  const Tensor given = gradient.contiguous();
  pass.d_log_likelihood = pointer<T>(given);
  const auto make = [](const Tensor& like, Tensor& made) {
    made = at::empty(like.sizes(), like.options().requires_grad(false));
    return made.template mutable_data_ptr<T>();
  };
  if (of_scores) pass.d_scores = make(crf.scores, gradients[0]);
  if (of_parameters) {
    pass.d_start = make(crf.start, gradients[1]);
    pass.d_end = make(crf.end, gradients[2]);
    pass.d_transitions = make(crf.transitions, gradients[3]);
  }
  kernels::run(pass, threads(), parallel);
  return gradients;
}

Tensors run_crf_backward(const Crf& crf, const Tensor& sums, const Tensor& gradient, bool of_scores,
                         bool of_parameters) {
  return crf.scores.scalar_type() == at::kFloat ? backward<float>(crf, sums, gradient, of_scores, of_parameters)
                                                : backward<double>(crf, sums, gradient, of_scores, of_parameters);
}

/// By the gradient of minus the logarithm of the normaliser.
Tensor run_crf_marginals(Crf crf) {
  crf.labels = Tensor();
  const Tensor sums = at::empty(crf.scores.sizes(), options_of(crf));
  run_crf_forward(crf, sums);
  const Tensor minus_one = at::full({crf.order.numel()}, -1, options_of(crf));
  return run_crf_backward(crf, sums, minus_one, /*of_scores=*/true, /*of_parameters=*/false)[0];
}

template <class T>
CrfBest decode(const Crf& crf) {
  CrfBest best = {at::empty({crf.scores.size(0)}, options_of(crf).dtype(at::kLong)),
                  at::zeros({crf.order.numel()}, options_of(crf))};
  auto pass = pass_over<kernels::CrfDecode<T>>(crf);
  pass.best = best.tags.mutable_data_ptr<std::int64_t>();
  pass.best_scores = best.scores.mutable_data_ptr<T>();
  kernels::run(pass, threads(), parallel);
  return best;
}

/// The gradients of what `run` makes of a CRF in LibTorch's operators, by its variables.
Tensors crf_gradients_in_libtorch(const Crf& crf, Tensor (*run)(const Crf&), const Tensor& gradient) {
  const auto run_with = [&](const Tensors& variables) {
    return Tensors{
        run({variables[0], variables[1], variables[2], variables[3], crf.batch_sizes, crf.order, crf.labels})};
  };
  return gradients_in_libtorch(crf.variables(), run_with, {gradient});
}

/// What a function saves of a CRF, and back.
Tensors saved_of(const Crf& crf) {
  Tensors saved = crf.variables();
  saved.insert(saved.end(), {savable(crf.batch_sizes), savable(crf.order), savable(crf.labels)});
  return saved;
}

Crf crf_of(const Tensors& saved) { return {saved[0], saved[1], saved[2], saved[3], saved[4], saved[5], saved[6]}; }

class CrfLogLikelihood : public torch::autograd::Function<CrfLogLikelihood> {
 public:
  static Tensor forward(AutogradContext* context, at::TensorList /*variables*/, const Crf& crf) {
    const Tensor sums = at::empty(crf.scores.sizes(), options_of(crf));
    Tensors saved = saved_of(crf);
    saved.push_back(sums);
    context->save_for_backward(std::move(saved));
    return run_crf_forward(contiguous(crf), sums);
  }

  static Tensors backward(AutogradContext* context, const Tensors& gradients) {
    const Tensors saved = context->get_saved_variables();
    const Crf crf = crf_of(saved);
    Tensors result;
    if (at::GradMode::is_enabled() || are_beyond_the_engine(gradients)) {
      result = crf_gradients_in_libtorch(crf, crf_log_likelihood_in_libtorch, gradients[0]);
    } else {
      const bool of_parameters =
          context->needs_input_grad(1) || context->needs_input_grad(2) || context->needs_input_grad(3);
      result =
          run_crf_backward(contiguous(crf), saved.back(), gradients[0], context->needs_input_grad(0), of_parameters);
    }
    result.emplace_back();  // of the CRF
    return result;
  }
};

class CrfMarginals : public torch::autograd::Function<CrfMarginals> {
 public:
  static Tensor forward(AutogradContext* context, at::TensorList /*variables*/, const Crf& crf) {
    context->save_for_backward(saved_of(crf));
    return run_crf_marginals(contiguous(crf));
  }

  static Tensors backward(AutogradContext* context, const Tensors& gradients) {
    Tensors result =
        crf_gradients_in_libtorch(crf_of(context->get_saved_variables()), crf_marginals_in_libtorch, gradients[0]);
    result.emplace_back();
    return result;
  }
};

// As in layer.cpp.
C10_DIAGNOSTIC_PUSH_AND_IGNORED_IF_DEFINED("-Warray-bounds")
C10_DIAGNOSTIC_PUSH_AND_IGNORED_IF_DEFINED("-Wstringop-overflow")
template <class Function>
Tensor apply_to(const Crf& crf) {
  const Tensors variables = crf.variables();
  return Function::apply(at::TensorList(variables), crf);
}
C10_DIAGNOSTIC_POP()
C10_DIAGNOSTIC_POP()

Tensor log_likelihood(const Crf& crf) {
  if (!records_gradients(crf.variables())) return run_crf_forward(contiguous(crf), {});
  if (has_inference_tensors(crf.variables())) return crf_log_likelihood_in_libtorch(crf);
  return apply_to<CrfLogLikelihood>(crf);
}

Tensor marginals(const Crf& crf) {
  if (!records_gradients(crf.variables())) return run_crf_marginals(contiguous(crf));
  if (has_inference_tensors(crf.variables())) return crf_marginals_in_libtorch(crf);
  return apply_to<CrfMarginals>(crf);
}

}  // namespace

at::Tensor crf_log_likelihood(const Crf& given) {
  const Crf crf = computed(given);
  return log_likelihood(crf).to(given.scores.scalar_type());
}

at::Tensor crf_marginals(const Crf& given) {
  const Crf crf = computed(given);
  return marginals(crf).to(given.scores.scalar_type());
}

CrfBest crf_decode(const Crf& given) {
  const at::NoGradGuard no_grad;
  const Crf crf = contiguous(computed(given));
  CrfBest best = crf.scores.scalar_type() == at::kFloat ? decode<float>(crf) : decode<double>(crf);
  best.scores = best.scores.to(given.scores.scalar_type());
  return best;
}

}  // namespace packseq::engine
