#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/resolve_conj.h>
#include <ATen/ops/resolve_neg.h>

#include <string>

#include "nn/refusal.hpp"
#include "nn/torch_dtypes.hpp"
#include "text/utf8.hpp"

namespace packseq::nn::detail {

/// The tensor under this key as it can be written: without gradient, conjugation and negation carried out.
/// @throws Refusal that names the key, if that is not UTF-8, or the tensor has no numbers that lie in memory.
inline at::Tensor writable(const std::string& key, const at::Tensor& tensor) {
  const auto refused = [&key](const auto&... what) {
    refuse("cannot be written: the tensor under the key \"", key, "\" ", what...);
  };
  if (packseq::detail::valid_utf8_prefix(key) != key.size())
    refuse("cannot be written: the key \"", key, "\" is not UTF-8");
  if (!tensor.defined()) refused("is undefined");
  if (tensor.layout() != at::kStrided) refused("has the layout ", tensor.layout(), ": write its .to_dense()");
  if (tensor.is_quantized()) refused("is quantized: write its .dequantize()");
  if (tensor.is_meta() || !tensor.has_storage()) refused("is on the device ", tensor.device(), ", and has no numbers");
  if (const auto count = tensor.sizes().size(); count > most_dimensions) {
    refused("has ", count, " dimensions, and must have ", most_dimensions, " at most");
  }
  return tensor.detach().resolve_conj().resolve_neg();
}

}  // namespace packseq::nn::detail
