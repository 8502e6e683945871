#include "sequence/plain.hpp"

#include <ATen/TracerMode.h>
#include <c10/core/impl/TorchDispatchModeTLS.h>

namespace packseq::detail {

bool is_watched() { return c10::impl::dispatch_mode_enabled() || at::tracer::impl::is_dispatch_enabled(); }

bool is_plain(const at::Tensor& tensor) {
  const auto keys =
      tensor.key_set() - c10::autograd_dispatch_keyset_with_ADInplaceOrView - c10::autocast_dispatch_keyset;
  return keys == c10::DispatchKeySet(c10::DispatchKey::CPU) && !tensor._fw_grad(/*level=*/0).defined();
}

}  // namespace packseq::detail
