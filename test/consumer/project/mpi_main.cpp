#include <torch/nn/modules/linear.h>

#include <iostream>

#include "packseq/distributed/mpi.hpp"
#include "packseq/distributed/replica.hpp"

int main() {
  packseq::distributed::MpiCommunicator ranks;
  torch::nn::Linear model(2, 1);
  packseq::distributed::Replica replica(*model, ranks);
  std::cout << "rank " << ranks.rank() << " of " << ranks.size() << ", mean loss " << replica.reduce(6, 3) << '\n';
}
