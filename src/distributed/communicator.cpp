#include "packseq/distributed/communicator.hpp"

namespace packseq::distributed {

Communicator::~Communicator() = default;

}  // namespace packseq::distributed
