#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/record_function.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "support/operator_calls.hpp"

namespace packseq::test {

/// Counts the multiply-adds of the matrix products that LibTorch executes while the counter lives, one at a time.
class MultiplyAdds {
 public:
  MultiplyAdds() { count_ = 0; }

  std::int64_t count() const { return count_; }

 private:
  /// Linear layers, `matmul` and the like all end in one of the first three; oneDNN's LSTM is an operator of its own.
  static std::unique_ptr<at::ObserverContext> add(const at::RecordFunction& function) {
    const std::string_view name = function.name();
    const auto input = [&](std::size_t i) -> const at::Tensor& { return function.inputs()[i].toTensor(); };
    if (name == "aten::mm" || name == "aten::bmm") add_product(input(0), input(1));
    if (name == "aten::addmm") add_product(input(1), input(2));
    if (name == "aten::mkldnn_rnn_layer") {
      count_ += input(0).size(0) * input(0).size(1) * (input(1).numel() + input(2).numel());
    }
    return nullptr;
  }

  static void add_product(const at::Tensor& left, const at::Tensor& right) { count_ += left.numel() * right.size(-1); }

  inline static std::atomic<std::int64_t> count_ = 0;  // a callback is a plain function, called by any thread
  OperatorCalls calls_{&add};
};

}  // namespace packseq::test
