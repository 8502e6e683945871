#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "packseq/distributed/communicator.hpp"
#include "support/throws.hpp"

namespace packseq::test {

/// A rank that meets nobody: the others are taken to say what it says itself.
class LonelyRank final : public distributed::Communicator {
 public:
  LonelyRank(std::int64_t rank, std::int64_t size) : rank_(rank), size_(size) {}
  std::int64_t rank() const override { return rank_; }
  std::int64_t size() const override { return size_; }
  void sum(const at::Tensor& tensor) override { tensor.mul_(size_); }
  void broadcast(const at::Tensor&) override {}
  std::vector<std::string> gather(const std::string& text) override {
    return std::vector<std::string>(static_cast<std::size_t>(size_), text);
  }

 private:
  std::int64_t rank_;
  std::int64_t size_;
};

/// Where threads that are ranks meet.
class Meeting {
 public:
  explicit Meeting(std::size_t ranks) : tensors(ranks), texts(ranks) {}

  /// Waits for the other ranks; throws if one has ended.
  void wait() {
    std::unique_lock lock(mutex_);
    const std::int64_t round = round_;
    if (++waiting_ == tensors.size()) {
      waiting_ = 0;
      ++round_;
      all_here_.notify_all();
    }
    all_here_.wait(lock, [&] { return round_ != round || ended_; });
    if (round_ == round) throw std::runtime_error("another rank has ended");
  }

  /// A rank will come no more.
  void end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    all_here_.notify_all();
  }

  std::vector<at::Tensor> tensors;
  std::vector<std::string> texts;

 private:
  std::mutex mutex_;
  std::condition_variable all_here_;
  std::size_t waiting_ = 0;
  std::int64_t round_ = 0;
  bool ended_ = false;
};

/// A rank that is a thread.
class ThreadRank final : public distributed::Communicator {
 public:
  ThreadRank(Meeting& meeting, std::size_t rank) : meeting_(meeting), rank_(rank) {}
  std::int64_t rank() const override { return static_cast<std::int64_t>(rank_); }
  std::int64_t size() const override { return static_cast<std::int64_t>(meeting_.tensors.size()); }

  void sum(const at::Tensor& tensor) override {
    show(tensor);
    at::Tensor total = meeting_.tensors[0].clone();
    for (std::size_t i = 1; i < meeting_.tensors.size(); ++i) total.add_(meeting_.tensors[i]);
    meeting_.wait();
    tensor.copy_(total);
  }

  void broadcast(const at::Tensor& tensor) override {
    show(tensor);
    if (rank_ != 0) tensor.copy_(meeting_.tensors[0]);
    meeting_.wait();
  }

  std::vector<std::string> gather(const std::string& text) override {
    meeting_.texts[rank_] = text;
    meeting_.wait();
    const auto texts = meeting_.texts;
    meeting_.wait();
    return texts;
  }

 private:
  void show(const at::Tensor& tensor) {
    meeting_.tensors[rank_] = tensor;
    meeting_.wait();
  }

  Meeting& meeting_;
  std::size_t rank_;
};

/// Runs `body(communicator)` in as many threads. Gives what each one throws; an empty text if it does not.
template <class Body>
[[nodiscard]] std::vector<std::string> run_ranks(std::size_t ranks, const Body& body) {
  Meeting meeting(ranks);
  std::vector<std::string> errors(ranks);
  std::vector<std::thread> threads;
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      ThreadRank communicator(meeting, rank);
      try {
        body(communicator);
      } catch (const std::exception& error) {
        errors[rank] = message_of(error);
      }
      meeting.end();
    });
  }
  for (auto& thread : threads) thread.join();
  return errors;
}

}  // namespace packseq::test
