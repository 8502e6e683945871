#pragma once

#include <atomic>
#include <cstddef>

#include "kernels/multiply_adds.hpp"

namespace packseq::test {

/// Counts the multiply-adds that the kernels' products execute while it lives, one counter at a time.
class ExecutedMultiplyAdds {
 public:
  ExecutedMultiplyAdds() { kernels::multiply_add_count = &count_; }
  ~ExecutedMultiplyAdds() { kernels::multiply_add_count = nullptr; }
  ExecutedMultiplyAdds(const ExecutedMultiplyAdds&) = delete;
  ExecutedMultiplyAdds& operator=(const ExecutedMultiplyAdds&) = delete;

  std::size_t count() const { return count_; }

 private:
  std::atomic<std::size_t> count_ = 0;
};

}  // namespace packseq::test
