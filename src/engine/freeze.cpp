#include "packseq/engine/freeze.hpp"

#include <ATen/TensorSubclassLikeUtils.h>
#include <c10/util/Exception.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "engine/dtypes.hpp"
#include "engine/frozen.hpp"
#include "engine/origin.hpp"
#include "kernels/fork.hpp"

namespace packseq::engine {
namespace {

/// A weight that is frozen, and its packed forms, once passes have made them.
struct FrozenWeight {
  Origin origin;
  std::array<at::Tensor, 2> packed = {};  // by precision
  kernels::Cell cell = kernels::Cell::lstm;
  kernels::Role role = kernels::Role::ih;
};

using FrozenWeights = std::unordered_map<const c10::TensorImpl*, std::shared_ptr<const FrozenWeight>>;

/// All frozen weights, by the address of their tensor. Its lock is held for moments, never while weights are packed.
class Registry {
 public:
  bool is_empty() const noexcept { return size_.load(std::memory_order_relaxed) == 0; }

  void insert(FrozenWeights weights) {
    const std::lock_guard lock(mutex_);
    for (auto& [address, weight] : weights) weights_.insert_or_assign(address, std::move(weight));
    sweep();
  }

  void erase(at::TensorList weights) {
    if (is_empty()) return;
    const std::lock_guard lock(mutex_);
    for (const at::Tensor& weight : weights) weights_.erase(weight.unsafeGetTensorImpl());
    sweep();
  }

  /// What is known of a weight; null where it is not frozen, or not any more.
  std::shared_ptr<const FrozenWeight> find(const at::Tensor& weight) {
    const std::lock_guard lock(mutex_);
    // Once in as many finds as there are weights, so that a find stays cheap.
    if (++finds_ >= weights_.size()) sweep();
    const auto entry = weights_.find(weight.unsafeGetTensorImpl());
    if (entry == weights_.end()) return nullptr;
    if (entry->second->origin.is_unchanged(weight)) return entry->second;
    weights_.erase(entry);
    sweep();
    return nullptr;
  }

  /// Puts one in the place of another, unless that is there no more.
  void replace(const at::Tensor& weight, const std::shared_ptr<const FrozenWeight>& old,
               std::shared_ptr<const FrozenWeight> by) {
    const std::lock_guard lock(mutex_);
    const auto entry = weights_.find(weight.unsafeGetTensorImpl());
    if (entry != weights_.end() && entry->second == old) entry->second = std::move(by);
  }

  std::mutex& mutex() noexcept { return mutex_; }

 private:
  /// Drops what is gone.
  void sweep() {
    std::erase_if(weights_, [](const auto& entry) { return entry.second->origin.is_gone(); });
    size_.store(weights_.size(), std::memory_order_relaxed);
    finds_ = 0;
  }

  std::mutex mutex_;
  FrozenWeights weights_;
  std::size_t finds_ = 0;  // since the last sweep
  std::atomic<std::size_t> size_ = 0;
};

std::mutex& registry_mutex();

/// It is never destroyed: other threads may run networks while the process ends.
Registry& registry() {
  static Registry* const the_registry = [] {
    auto* const made = new Registry;
    kernels::keep_usable_in_forks<registry_mutex>();
    return made;
  }();
  return *the_registry;
}

std::mutex& registry_mutex() { return registry().mutex(); }

}  // namespace

at::Tensor find_packed(const at::Tensor& weight, kernels::Cell cell, kernels::Role role, kernels::Precision precision,
                       const std::function<at::Tensor()>& pack) {
  if (registry().is_empty()) return {};
  const auto found = registry().find(weight);
  if (found == nullptr) return {};
  const bool has_role = found->packed[0].defined() || found->packed[1].defined();
  if (has_role && (found->cell != cell || found->role != role)) return {};
  const auto form = static_cast<std::size_t>(precision);
  if (found->packed[form].defined()) return found->packed[form];
  // Without the lock: others that need it meanwhile pack it, too, and one of them keeps it.
  FrozenWeight with_form = *found;
  with_form.packed[form] = pack();
  with_form.cell = cell;
  with_form.role = role;
  const at::Tensor packed = with_form.packed[form];
  registry().replace(weight, found, std::make_shared<FrozenWeight>(std::move(with_form)));
  return packed;
}

void freeze(const std::vector<at::Tensor>& weights) {
  FrozenWeights frozen_weights;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const at::Tensor& weight = weights[i];
    TORCH_CHECK_VALUE(weight.defined(), "freeze: weight ", i, " is undefined");
    TORCH_CHECK_VALUE(weight.is_cpu() && weight.layout() == at::kStrided && is_dtype_of_engine(weight.scalar_type()),
                      "freeze: weight ", i, " is ", weight.scalar_type(), " on ", weight.device(), ", ",
                      weight.layout(), "; the engine runs ", dtypes_of_engine, ", dense on the CPU");
    TORCH_CHECK_VALUE(!at::isTensorSubclassLike(weight), "freeze: weight ", i, " is a tensor subclass");
    frozen_weights.emplace(weight.unsafeGetTensorImpl(), std::make_shared<FrozenWeight>(FrozenWeight{Origin(weight)}));
  }
  registry().insert(std::move(frozen_weights));
}

void unfreeze(const std::vector<at::Tensor>& weights) { registry().erase(weights); }

bool frozen(const std::vector<at::Tensor>& weights) {
  for (const at::Tensor& weight : weights) {
    if (!weight.defined() || registry().find(weight) == nullptr) return false;
  }
  return true;
}

}  // namespace packseq::engine
