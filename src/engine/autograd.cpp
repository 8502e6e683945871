#include "engine/autograd.hpp"

#include <ATen/TensorSubclassLikeUtils.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cstddef>

namespace packseq::engine {

using at::Tensor;
using Tensors = std::vector<Tensor>;

bool records_gradients(at::TensorList inputs) {
  return at::GradMode::is_enabled() &&
         !c10::impl::tls_is_dispatch_key_excluded(c10::DispatchKey::AutogradFunctionality) &&
         std::any_of(inputs.begin(), inputs.end(), [](const Tensor& tensor) { return tensor.requires_grad(); });
}

bool has_inference_tensors(at::TensorList inputs) {
  return std::any_of(inputs.begin(), inputs.end(), [](const Tensor& tensor) { return tensor.is_inference(); });
}

Tensor savable(const Tensor& tensor) { return tensor.defined() && tensor.is_inference() ? tensor.clone() : tensor; }

bool are_beyond_the_engine(at::TensorList gradients) {
  return at::areAnyTensorSubclassLike(gradients) ||
         std::any_of(gradients.begin(), gradients.end(), [](const Tensor& tensor) {
           return tensor._is_zerotensor() || tensor.is_neg() || tensor._fw_grad(/*level=*/0).defined();
         });
}

Tensors gradients_in_libtorch(Tensors inputs, const std::function<Tensors(const Tensors&)>& run,
                              const Tensors& gradients) {
  const bool create_graph = at::GradMode::is_enabled();
  const at::AutoGradMode with_graph(true);
  Tensors differentiable;
  Tensors outputs;
  {
    // They belong to no transform, whatever the gradients do.
    const c10::impl::ExcludeDispatchKeyGuard without_functorch(c10::DispatchKeySet(
        {c10::DispatchKey::FuncTorchDynamicLayerFrontMode, c10::DispatchKey::FuncTorchDynamicLayerBackMode}));
    for (Tensor& input : inputs) {
      if (!input.requires_grad()) continue;
      input = input.view_as(input);  // else the gradient of one would hold that of another which is computed from it
      differentiable.push_back(input);
    }
    outputs = run(inputs);
  }
  Tensors used;
  Tensors of_used;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!gradients[i].defined() || !outputs[i].requires_grad()) continue;
    used.push_back(outputs[i]);
    of_used.push_back(gradients[i]);
  }
  if (used.empty()) return Tensors(inputs.size());
  const auto of_differentiable =
      torch::autograd::grad(used, differentiable, of_used, /*retain_graph=*/true, create_graph, /*allow_unused=*/true);
  Tensors result(inputs.size());
  for (std::size_t i = 0, next = 0; i < inputs.size(); ++i) {
    if (inputs[i].requires_grad()) result[i] = of_differentiable[next++];
  }
  return result;
}

}  // namespace packseq::engine
