#include "engine/origin.hpp"

namespace packseq::engine {
namespace {

/// A tensor of which LibTorch does not count the changes has no version.
std::int64_t version_of(const at::Tensor& tensor) {
  return !tensor.defined() || tensor.is_inference() ? 0 : tensor._version();
}

/// LibTorch warns of whoever asks for those of others than leaves.
at::Tensor gradient_of(const at::Tensor& tensor) { return tensor.is_leaf() ? tensor.grad() : at::Tensor(); }

}  // namespace

Origin::Origin(const at::Tensor& tensor)
    : tensor_(tensor.getIntrusivePtr()),
      storage_(tensor.storage().getWeakStorageImpl()),
      data_(tensor.const_data_ptr()),
      sizes_(tensor.sizes().vec()),
      strides_(tensor.strides().vec()),
      version_(version_of(tensor)),
      gradient_(gradient_of(tensor).getIntrusivePtr()),
      gradient_version_(version_of(gradient_of(tensor))) {}

bool Origin::is_unchanged(const at::Tensor& tensor) const {
  const at::Tensor gradient = tensor.defined() ? gradient_of(tensor) : at::Tensor();
  const bool has_same_gradient =
      !gradient.defined() ||
      (gradient_._unsafe_get_target() == gradient.unsafeGetTensorImpl() && gradient_version_ == version_of(gradient));
  return tensor.defined() && has_same_gradient && tensor_._unsafe_get_target() == tensor.unsafeGetTensorImpl() &&
         storage_._unsafe_get_target() == tensor.storage().unsafeGetStorageImpl() && data_ == tensor.const_data_ptr() &&
         tensor.sizes() == at::IntArrayRef(sizes_) && tensor.strides() == at::IntArrayRef(strides_) &&
         version_ == version_of(tensor);
}

}  // namespace packseq::engine
