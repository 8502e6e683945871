#include "packseq/distributed/mpi.hpp"

#include <c10/util/Exception.h>
#include <c10/util/StringUtil.h>
#include <mpi.h>

#include <algorithm>
#include <exception>
#include <iostream>
#include <numeric>
#include <stdexcept>

namespace packseq::distributed {
namespace {

// MPI counts in int, and needs memory for what it sums.
constexpr std::int64_t most_elements = 1 << 24;

MPI_Datatype type_of(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return MPI_FLOAT;
    case at::kDouble:
      return MPI_DOUBLE;
    case at::kLong:
      return MPI_INT64_T;
    default:
      TORCH_CHECK_TYPE(false, "MpiCommunicator: tensor is ", tensor.scalar_type(),
                       ", and must be float, double or int64");
  }
}

void check_place(const at::Tensor& tensor) {
  TORCH_CHECK_TYPE(tensor.defined() && tensor.layout() == at::kStrided && tensor.is_cpu() && tensor.is_contiguous(),
                   "MpiCommunicator: tensor is undefined or not contiguous on the CPU, as it must be: give it "
                   ".cpu().contiguous()");
}

/// Calls `send(begin, count)` for all of `elements`, of `size` bytes each, in pieces that MPI can count.
template <class Send>
void in_pieces(void* data, std::int64_t elements, std::int64_t size, const Send& send) {
  for (std::int64_t begin = 0; begin < elements; begin += most_elements) {
    send(static_cast<char*>(data) + begin * size, static_cast<int>(std::min(most_elements, elements - begin)));
  }
}

/// Begins MPI unless the program has; whether it is ours to end it.
bool begin_mpi() {
  int is_begun = 0;
  int is_ended = 0;
  MPI_Initialized(&is_begun);
  MPI_Finalized(&is_ended);
  if (is_ended != 0) {
    throw std::runtime_error("MpiCommunicator: MPI has been ended in this process, and cannot begin again");
  }
  int level = MPI_THREAD_SINGLE;
  if (is_begun != 0) {
    MPI_Query_thread(&level);
  } else {
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &level);
  }
  // LibTorch has threads, though this one alone speaks to MPI.
  if (level < MPI_THREAD_FUNNELED) {
    throw std::runtime_error(
        "MpiCommunicator: MPI was begun for programs without threads: call MPI_Init_thread with "
        "MPI_THREAD_FUNNELED");
  }
  return is_begun == 0;
}

}  // namespace

struct MpiCommunicator::State {
  bool is_ours = false;          // whether this communicator has begun MPI
  MPI_Comm all = MPI_COMM_NULL;  // a copy, so that our messages are not mixed up with the program's own
  int rank = 0;
  int size = 1;
  int exceptions = std::uncaught_exceptions();
};

MpiCommunicator::MpiCommunicator() : state_(std::make_unique<State>()) {
  state_->is_ours = begin_mpi();
  MPI_Comm_dup(MPI_COMM_WORLD, &state_->all);
  MPI_Comm_set_errhandler(state_->all, MPI_ERRORS_ARE_FATAL);  // so no call's result need be looked at
  MPI_Comm_rank(state_->all, &state_->rank);
  MPI_Comm_size(state_->all, &state_->size);
}

MpiCommunicator::~MpiCommunicator() {
  if (std::uncaught_exceptions() > state_->exceptions && state_->size > 1) {
    // MPI_Finalize would wait for ranks that wait for this one. Written at once: what others say must not come between.
    std::cerr << c10::str("packseq: an exception ends rank ", state_->rank, " of ", state_->size,
                          ", and with it the job\n");
    MPI_Abort(state_->all, 1);
  }
  MPI_Comm_free(&state_->all);
  if (state_->is_ours) MPI_Finalize();
}

std::int64_t MpiCommunicator::rank() const { return state_->rank; }

std::int64_t MpiCommunicator::size() const { return state_->size; }

void MpiCommunicator::sum(const at::Tensor& tensor) {
  check_place(tensor);
  const MPI_Datatype type = type_of(tensor);
  in_pieces(tensor.mutable_data_ptr(), tensor.numel(), static_cast<std::int64_t>(tensor.element_size()),
            [&](void* data, int count) { MPI_Allreduce(MPI_IN_PLACE, data, count, type, MPI_SUM, state_->all); });
}

void MpiCommunicator::broadcast(const at::Tensor& tensor) {
  check_place(tensor);
  in_pieces(tensor.mutable_data_ptr(), static_cast<std::int64_t>(tensor.nbytes()), 1,
            [&](void* data, int count) { MPI_Bcast(data, count, MPI_BYTE, 0, state_->all); });
}

std::vector<std::string> MpiCommunicator::gather(const std::string& text) {
  const auto ranks = static_cast<std::size_t>(state_->size);
  const int bytes = static_cast<int>(text.size());
  std::vector<int> counts(ranks);
  MPI_Allgather(&bytes, 1, MPI_INT, counts.data(), 1, MPI_INT, state_->all);
  std::vector<int> begins(ranks, 0);
  std::partial_sum(counts.begin(), counts.end() - 1, begins.begin() + 1);
  std::string joined(static_cast<std::size_t>(begins.back() + counts.back()), '\0');
  MPI_Allgatherv(text.data(), bytes, MPI_CHAR, joined.data(), counts.data(), begins.data(), MPI_CHAR, state_->all);
  std::vector<std::string> all;
  for (std::size_t i = 0; i < ranks; ++i) {
    all.push_back(joined.substr(static_cast<std::size_t>(begins[i]), static_cast<std::size_t>(counts[i])));
  }
  return all;
}

}  // namespace packseq::distributed
