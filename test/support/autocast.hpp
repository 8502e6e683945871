#pragma once

#include <ATen/autocast_mode.h>
#include <ATen/core/Tensor.h>
#include <ATen/record_function.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "support/operator_calls.hpp"

namespace packseq::test {

/// Autocast is on for the CPU, or off, while this lives, as Python's `torch.autocast` has it.
class Autocast {
 public:
  explicit Autocast(c10::ScalarType dtype = at::kBFloat16, bool on = true)
      : was_on_(at::autocast::is_autocast_enabled(at::kCPU)), dtype_(at::autocast::get_autocast_dtype(at::kCPU)) {
    at::autocast::set_autocast_enabled(at::kCPU, on);
    at::autocast::set_autocast_dtype(at::kCPU, dtype);
    at::autocast::increment_nesting();
  }
  ~Autocast() {
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, was_on_);
    at::autocast::set_autocast_dtype(at::kCPU, dtype_);
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  bool was_on_;
  c10::ScalarType dtype_;
};

/// Counts how often a tensor is copied to another dtype while the counter lives, one at a time.
class Casts {
 public:
  explicit Casts(const at::Tensor& tensor) {
    count_ = 0;
    counted_ = tensor.unsafeGetTensorImpl();
  }
  std::int64_t count() const { return count_; }

 private:
  static std::unique_ptr<at::ObserverContext> add(const at::RecordFunction& function) {
    const bool is_cast = std::string_view(function.name()) == "aten::_to_copy";
    if (is_cast && function.inputs()[0].toTensor().unsafeGetTensorImpl() == counted_) ++count_;
    return nullptr;
  }

  inline static std::atomic<std::int64_t> count_ = 0;  // a callback is a plain function, called by any thread
  inline static std::atomic<const c10::TensorImpl*> counted_ = nullptr;
  OperatorCalls calls_{&add};
};

}  // namespace packseq::test
