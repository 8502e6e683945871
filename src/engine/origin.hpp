#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/StorageImpl.h>
#include <c10/core/TensorImpl.h>
#include <c10/util/intrusive_ptr.h>

#include <cstdint>
#include <vector>

namespace packseq::engine {

/// What a tensor was when something was computed from it. It is not kept alive, but no other gets its address
/// meanwhile.
///
/// Some optimizers change weights without LibTorch's counting it, but none without a gradient: a weight that has
/// another gradient than it had counts as changed.
class Origin {
 public:
  explicit Origin(const at::Tensor& tensor);

  /// Whether this is the same tensor, and nothing is known to have changed it.
  bool is_unchanged(const at::Tensor& tensor) const;
  bool is_gone() const { return tensor_.expired() || storage_.expired(); }

 private:
  c10::weak_intrusive_ptr<c10::TensorImpl> tensor_;
  c10::weak_intrusive_ptr<c10::StorageImpl> storage_;
  const void* data_;
  std::vector<std::int64_t> sizes_;
  std::vector<std::int64_t> strides_;
  std::int64_t version_;
  c10::weak_intrusive_ptr<c10::TensorImpl> gradient_;
  std::int64_t gradient_version_;
};

}  // namespace packseq::engine
