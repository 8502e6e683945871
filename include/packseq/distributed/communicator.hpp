#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "packseq/export.hpp"

namespace packseq::distributed {

/// The processes that train together: each is a rank, 0 ... size() - 1.
///
/// Every rank must make the same calls in the same order, since each of them waits for the others. Only the thread that
/// has made a communicator may use it. `MpiCommunicator` is one over MPI.
class PACKSEQ_EXPORT Communicator {
 public:
  Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;
  virtual ~Communicator();

  /// Which of the processes this one is.
  virtual std::int64_t rank() const = 0;

  /// How many processes there are.
  virtual std::int64_t size() const = 0;

  /// Replaces the numbers of a tensor by their sums over all ranks. The sums are the same on every rank, to the last
  /// bit.
  ///
  /// The tensor is contiguous float, double or int64 on the CPU, of the same dtype and number of elements on all ranks.
  virtual void sum(const at::Tensor& tensor) = 0;

  /// Replaces the numbers of a tensor by those of rank 0. The tensor is contiguous, on the CPU and of any dtype, of the
  /// same number of bytes on all ranks.
  virtual void broadcast(const at::Tensor& tensor) = 0;

  /// The text of every rank, in their order.
  virtual std::vector<std::string> gather(const std::string& text) = 0;
};

/// The communicator of a program that trains alone: it is rank 0 of 1, and has nothing to wait for.
/// @code
/// packseq::distributed::Alone alone;
/// packseq::distributed::Replica replica(*lstm, alone);
/// @endcode
class PACKSEQ_EXPORT Alone final : public Communicator {
 public:
  std::int64_t rank() const override { return 0; }
  std::int64_t size() const override { return 1; }
  void sum(const at::Tensor&) override {}
  void broadcast(const at::Tensor&) override {}
  std::vector<std::string> gather(const std::string& text) override { return {text}; }
};

}  // namespace packseq::distributed
