#pragma once

#include <atomic>
#include <cstddef>
#include <thread>

#include "kernels/plan.hpp"

namespace packseq::kernels {

/// Where workers wait for each other. They spin, since a step takes microseconds; and yield, since their core may be
/// somebody else's.
class Barrier {
 public:
  explicit Barrier(std::size_t parts) : parts_(parts) {}

  /// Returns once all parts have arrived, `arriving` of them with this call.
  void wait(std::size_t arriving) noexcept {
    const std::size_t round = round_.load(std::memory_order_relaxed);
    if (arrived_.fetch_add(arriving, std::memory_order_acq_rel) + arriving == parts_) {
      arrived_.store(0, std::memory_order_relaxed);
      round_.store(round + 1, std::memory_order_release);
      return;
    }
    for (std::size_t turn = 1; round_.load(std::memory_order_acquire) == round; ++turn) {
      if (turn % spins_before_yield == 0) std::this_thread::yield();
    }
  }

 private:
  static constexpr std::size_t spins_before_yield = 1000;
  const std::size_t parts_;
  alignas(64) std::atomic<std::size_t> arrived_ = 0;
  alignas(64) std::atomic<std::size_t> round_ = 0;
};

/// A member of a team that shares the work of every step; or one who works alone.
class Worker {
 public:
  Worker() = default;
  /// One of several who do not wait for each other.
  Worker(Range parts, std::size_t of) : parts_(parts), of_(of) {}
  Worker(Range parts, std::size_t of, Barrier& barrier) : parts_(parts), of_(of), barrier_(&barrier) {}

  /// This worker's part of `count` things.
  Range part_of(std::size_t count) const noexcept { return {count * parts_.begin / of_, count * parts_.end / of_}; }

  bool is_alone() const noexcept { return barrier_ == nullptr; }

  void wait() const noexcept {
    if (barrier_ != nullptr) barrier_->wait(parts_.size());
  }

 private:
  Range parts_ = {0, 1};
  std::size_t of_ = 1;
  Barrier* barrier_ = nullptr;
};

}  // namespace packseq::kernels
