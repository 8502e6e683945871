#pragma once

#include <deque>
#include <string>

#include "nn/pickle_value.hpp"

namespace packseq::nn::detail {

/// Reads a pickle as `torch.save` writes it, of protocol 2 to 5. Nothing is executed, imported or looked up: names stay
/// names, and what calls of them would give is known for tensors and dicts alone. Whatever the bytes are, memory grows
/// with their number, the stack does not, and each instruction is read once.
class Pickle {
 public:
  /// @throws Refusal that says what is wrong at which byte, if `bytes` are no such pickle.
  explicit Pickle(std::string bytes);
  Pickle(const Pickle&) = delete;  // values refer to the bytes
  Pickle& operator=(const Pickle&) = delete;

  /// The object that was saved.
  const PickleValue& top() const { return *top_; }

 private:
  const std::string bytes_;
  std::deque<PickleValue> values_;
  const PickleValue* top_ = nullptr;
};

}  // namespace packseq::nn::detail
