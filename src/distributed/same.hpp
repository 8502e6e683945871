#pragma once

#include <c10/util/Exception.h>

#include <cstddef>
#include <string>
#include <vector>

#include "packseq/distributed/communicator.hpp"

namespace packseq::distributed::detail {

/// Refuses, on every rank, what is not on all ranks the same; `difference` tells of two texts what is.
template <class Difference>
void check_same(Communicator& communicator, const std::string& text, const Difference& difference) {
  const std::vector<std::string> all = communicator.gather(text);
  for (std::size_t rank = 1; rank < all.size(); ++rank) {
    TORCH_CHECK_VALUE(all[rank] == all[0], difference(rank, all[rank], all[0]));
  }
}

}  // namespace packseq::distributed::detail
