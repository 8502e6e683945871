#pragma once

#include <atomic>
#include <cstddef>

namespace packseq::kernels {

/// Where products add up how many multiply-adds they execute; null, but where a test wants to know.
inline std::atomic<std::atomic<std::size_t>*> multiply_add_count = nullptr;

inline void count_multiply_adds(std::size_t executed) {
  std::atomic<std::size_t>* const count = multiply_add_count.load(std::memory_order_relaxed);
  if (count != nullptr) count->fetch_add(executed, std::memory_order_relaxed);
}

}  // namespace packseq::kernels
