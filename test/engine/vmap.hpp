#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/functorch/BatchedTensorImpl.h>
#include <ATen/functorch/DynamicLayer.h>

#include <cstdint>

namespace packseq::test {

/// One of functorch's transforms while this lives: operators run on all slices of a tensor at once.
class Vmap {
 public:
  explicit Vmap(std::int64_t slices)
      : level_(at::functorch::initAndPushDynamicLayer(at::functorch::TransformType::Vmap, c10::SymInt(slices),
                                                      at::functorch::RandomnessType::Error)) {}
  ~Vmap() { at::functorch::popDynamicLayerAndDeleteMetadata(); }
  Vmap(const Vmap&) = delete;
  Vmap& operator=(const Vmap&) = delete;

  /// Stands for one slice of `slices`, along their first dimension.
  at::Tensor slice_of(const at::Tensor& slices) const { return at::functorch::addBatchDim(slices, 0, level_); }

  /// All slices of a result.
  static at::Tensor slices_of(const at::Tensor& slice) {
    const auto* const batched = at::functorch::maybeGetBatchedImpl(slice);
    return batched == nullptr ? slice : batched->value().movedim(batched->bdim(), 0);
  }

 private:
  std::int64_t level_;
};

}  // namespace packseq::test
