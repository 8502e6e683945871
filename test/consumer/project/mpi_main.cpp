#include <iostream>

#include "packseq/distributed/mpi.hpp"

int main() {
  const packseq::distributed::MpiCommunicator communicator;
  std::cout << "rank " << communicator.rank() << " of " << communicator.size() << '\n';
}
