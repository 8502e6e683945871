#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace packseq::test {

/// What a library that has packseq inside lets others call, by the function `packseq_copy`.
struct Copy {
  void (*install)();
  void (*uninstall)();
  bool (*installed)();
  /// The outputs of an LSTM of this library, of size 4 and always the same weights, over packed sequences [*, 3].
  at::Tensor (*run)(const std::vector<at::Tensor>& sequences);
};

}  // namespace packseq::test
