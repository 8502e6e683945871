#include "sequence/plain.hpp"

#include <ATen/TracerMode.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/TorchDispatchModeTLS.h>

#include <algorithm>

namespace packseq::detail {

bool is_watched() { return c10::impl::dispatch_mode_enabled() || at::tracer::impl::is_dispatch_enabled(); }

bool is_plain(const at::Tensor& tensor) {
  const auto keys =
      tensor.key_set() - c10::autograd_dispatch_keyset_with_ADInplaceOrView - c10::autocast_dispatch_keyset;
  return keys == c10::DispatchKeySet(c10::DispatchKey::CPU) && !tensor._fw_grad(/*level=*/0).defined();
}

bool are_copyable(at::TensorList tensors) {
  return !is_watched() && std::all_of(tensors.begin(), tensors.end(), [](const at::Tensor& tensor) {
    return is_plain(tensor) && tensor.is_contiguous() && !(at::GradMode::is_enabled() && tensor.requires_grad());
  });
}

}  // namespace packseq::detail
