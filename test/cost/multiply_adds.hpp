#pragma once

#include <ATen/record_function.h>
#include <c10/util/Exception.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

namespace packseq::cost {

/// Counts the multiply-adds of the matrix products that LibTorch executes while the counter lives, one at a
/// time.
class MultiplyAdds {
 public:
  MultiplyAdds() {
    count_ = 0;
    handle_ = at::addGlobalCallback(
        at::RecordFunctionCallback(&add).needsInputs(true).scopes({at::RecordScope::FUNCTION}));
  }
  ~MultiplyAdds() { at::removeCallback(handle_); }
  MultiplyAdds(const MultiplyAdds&) = delete;
  MultiplyAdds& operator=(const MultiplyAdds&) = delete;

  std::int64_t count() const { return count_; }

 private:
  /// Linear layers, `matmul` and the like all end in one of two operators.
  static std::unique_ptr<at::ObserverContext> add(const at::RecordFunction& function) {
    const std::string_view name = function.name();
    if (name == "aten::mm") add_product(function.inputs()[0].toTensor(), function.inputs()[1].toTensor());
    if (name == "aten::addmm") add_product(function.inputs()[1].toTensor(), function.inputs()[2].toTensor());
    return nullptr;
  }

  static void add_product(const at::Tensor& left, const at::Tensor& right) {
    count_ += left.size(0) * left.size(1) * right.size(1);
  }

  inline static std::atomic<std::int64_t> count_ = 0;  // a callback is a plain function, called by any thread
  at::CallbackHandle handle_;
};

}  // namespace packseq::cost
