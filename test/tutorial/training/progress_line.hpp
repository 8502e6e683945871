#pragma once

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iomanip>
#include <iostream>
#include <sstream>

#include "packseq/data/batch_sampler.hpp"
#include "packseq/distributed/communicator.hpp"

/// Tells how training goes: on a terminal in one line that is written again and again, else in a line now and then.
class ProgressLine {
 public:
  ProgressLine(std::int64_t epochs, const packseq::distributed::Communicator& processes,
               std::ostream& output = std::cout)
      : epochs_(epochs), processes_(processes), output_(output) {}

  /// So many batches are done, of about so many in this epoch; the last one had this loss, and this process so many
  /// tokens of it: each has about as many. The first process tells.
  void show(const packseq::data::Position& done, std::int64_t batches, double loss, std::int64_t tokens) {
    if (processes_.rank() != 0) return;
    ++shown_;
    tokens_ += tokens * processes_.size();
    loss_ += (loss - loss_) / static_cast<double>(std::min<std::int64_t>(shown_, 50));  // fades after 50 batches
    const bool last = done.batches == batches;
    if (!terminal_ && !last && done.batches % 50 != 0) return;

    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
    const auto left = static_cast<double>((epochs_ - done.epoch) * batches - done.batches);
    const auto seconds_left = std::llround(left * elapsed.count() / static_cast<double>(shown_));
    std::ostringstream text;
    text << "epoch " << done.epoch + 1 << '/' << epochs_ << "  batch " << done.batches << '/' << batches << "  loss "
         << std::fixed << std::setprecision(4) << loss_ << "  "
         << std::llround(static_cast<double>(tokens_) / elapsed.count()) << " tokens/s  " << seconds_left / 60 << ':'
         << std::setw(2) << std::setfill('0') << seconds_left % 60 << " left";
    output_ << (terminal_ ? "\r" : "") << text.str() << (terminal_ ? "\033[K" : "") << (terminal_ && !last ? "" : "\n")
            << std::flush;
  }

 private:
  const std::int64_t epochs_;
  const packseq::distributed::Communicator& processes_;
  std::ostream& output_;
  // mpirun's may end in a file
  const bool terminal_ = isatty(&output_ == &std::cerr ? STDERR_FILENO : STDOUT_FILENO) != 0 && processes_.size() == 1;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::int64_t shown_ = 0;
  std::int64_t tokens_ = 0;
  double loss_ = 0;
};
