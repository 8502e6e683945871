#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "packseq/distributed/communicator.hpp"
#include "packseq/export.hpp"

namespace packseq::distributed {

/// The processes that `mpirun` has started, over MPI; a program that was started without it is rank 0 of 1.
///
/// It begins MPI and ends it; a program can do so once. One that has begun MPI itself ends it itself, after the
/// communicator. Make it first, tell what an exception says and let it leave the communicator's scope: an exception
/// that passes by its destructor ends the whole job, as does a process that dies. Without that the other ranks would
/// wait for this one forever.
///
/// In the target `packseq::mpi`, `find_package(packseq COMPONENTS mpi)`, and not in `packseq/packseq.hpp`.
/// @code
/// try {
///   packseq::distributed::MpiCommunicator ranks;
///   try {
///     std::cout << "rank " << ranks.rank() << " of " << ranks.size() << '\n';
///     // ... train
///   } catch (const std::exception& error) {
///     std::cerr << error.what() << std::endl;   // now: of several processes none gets past the communicator
///     throw;
///   }
/// } catch (const std::exception&) {
///   // ... return 1 from main
/// }
/// @endcode
class PACKSEQ_EXPORT MpiCommunicator final : public Communicator {
 public:
  /// @throws std::runtime_error if MPI has been ended in this process.
  /// @throws std::runtime_error if MPI cannot be used by a program that has threads.
  MpiCommunicator();
  ~MpiCommunicator() override;

  std::int64_t rank() const override;
  std::int64_t size() const override;

  /// @throws c10::TypeError if `tensor` is not contiguous float, double or int64 on the CPU.
  void sum(const at::Tensor& tensor) override;

  /// @throws c10::TypeError if `tensor` is not contiguous on the CPU.
  void broadcast(const at::Tensor& tensor) override;

  std::vector<std::string> gather(const std::string& text) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace packseq::distributed
