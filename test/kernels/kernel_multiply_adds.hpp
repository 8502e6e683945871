#pragma once

#include <atomic>
#include <cstddef>

#include "kernels/multiply_adds.hpp"

namespace packseq::test {

/// Counts the multiply-adds that the kernels' products execute while it lives, one counter at a time.
class KernelMultiplyAdds {
 public:
  KernelMultiplyAdds() { kernels::multiply_add_count = &count_; }
  ~KernelMultiplyAdds() { kernels::multiply_add_count = nullptr; }
  KernelMultiplyAdds(const KernelMultiplyAdds&) = delete;
  KernelMultiplyAdds& operator=(const KernelMultiplyAdds&) = delete;

  std::size_t count() const { return count_; }

 private:
  std::atomic<std::size_t> count_ = 0;
};

}  // namespace packseq::test
