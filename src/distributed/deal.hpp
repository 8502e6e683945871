#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace packseq::distributed::detail {

/// Which rank gets each document: the longest first, each to the rank with the fewest tokens so far, of those to the
/// one with the fewest documents, of those to the first. So documents without tokens are spread as well.
std::vector<std::int64_t> deal(std::span<const std::int64_t> lengths, std::int64_t ranks);

}  // namespace packseq::distributed::detail
