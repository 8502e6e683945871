#pragma once

#include <ATen/record_function.h>

#include <memory>

namespace packseq::test {

/// Calls a function for each of LibTorch's operators that runs while this lives, in whatever thread, with its inputs.
class OperatorCalls {
 public:
  explicit OperatorCalls(std::unique_ptr<at::ObserverContext> (*see)(const at::RecordFunction&))
      : handle_(at::addGlobalCallback(
            at::RecordFunctionCallback(see).needsInputs(true).scopes({at::RecordScope::FUNCTION}))) {}
  ~OperatorCalls() { at::removeCallback(handle_); }
  OperatorCalls(const OperatorCalls&) = delete;
  OperatorCalls& operator=(const OperatorCalls&) = delete;

 private:
  at::CallbackHandle handle_;
};

}  // namespace packseq::test
