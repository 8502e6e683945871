#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "kernels/executor.hpp"

namespace packseq::kernels {

/// Threads that wait for work. They stay for the next test: an emulator keeps memory for each thread there ever was.
class Team {
 public:
  /// Every part on a thread of its own.
  void run(std::size_t parts, const Work& work) {
    std::unique_lock lock(mutex_);
    work_ = &work;
    parts_ = left_ = parts;
    ++run_;
    while (threads_.size() < parts) {
      threads_.emplace_back([this, part = threads_.size()](const std::stop_token& stop) { serve(stop, part); });
    }
    begins_.notify_all();
    ends_.wait(lock, [this] { return left_ == 0; });
  }

 private:
  void serve(const std::stop_token& stop, std::size_t part) {
    std::size_t served = 0;
    std::unique_lock lock(mutex_);
    while (begins_.wait(lock, stop, [&] { return run_ != served && part < parts_; })) {
      served = run_;
      lock.unlock();
      (*work_)(part, part + 1);
      lock.lock();
      if (--left_ == 0) ends_.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any begins_;
  std::condition_variable ends_;
  const Work* work_ = nullptr;
  std::size_t parts_ = 0;
  std::size_t left_ = 0;
  std::size_t run_ = 0;  // how many there were
  std::vector<std::jthread> threads_;
};

inline void on_threads(std::size_t parts, const Work& work) {
  static Team team;
  team.run(parts, work);
}

}  // namespace packseq::kernels
