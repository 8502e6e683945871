#pragma once

#include <ATen/core/grad_mode.h>
#include <torch/nn/module.h>

#include <memory>
#include <optional>

namespace packseq::nn::detail {

/// A deep copy of a module without children, on `device` or where it is: what `clone` gives in every class of this
/// room. Torch's own makes an object of torch's class, and an Embedding made of given weights shares them with it.
template <class Impl>
std::shared_ptr<torch::nn::Module> cloned(const Impl& module, const std::optional<at::Device>& device) {
  const at::NoGradGuard no_grad;
  auto options = module.options;
  if constexpr (requires { options._weight(); }) options._weight(at::Tensor());
  auto copy = std::make_shared<Impl>(options);
  copy->train(module.is_training());
  if constexpr (requires { copy->engine; }) copy->engine = module.engine;
  if constexpr (requires { copy->precision; }) copy->precision = module.precision;
  const auto fill = [&device](auto copies, const auto& originals) {
    for (const auto& original : originals) {
      const at::Tensor& tensor = original.value();
      at::Tensor& copied = copies[original.key()];
      copied.set_data(tensor.to(device.value_or(tensor.device()), /*non_blocking=*/false, /*copy=*/true));
      copied.set_requires_grad(tensor.requires_grad());
    }
  };
  fill(copy->named_parameters(), module.named_parameters());
  fill(copy->named_buffers(), module.named_buffers());
  if constexpr (requires { copy->flatten_parameters(); }) copy->flatten_parameters();
  return copy;
}

}  // namespace packseq::nn::detail
