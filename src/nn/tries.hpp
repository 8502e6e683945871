#pragma once

#include <cstdint>
#include <vector>

#include "engine/network.hpp"

namespace packseq::nn::detail {

/// Whether so many nodes are at most `most_beginnings` of so many tokens; never of what is no number.
inline bool is_worth_sharing(std::int64_t nodes, std::int64_t tokens, double most_beginnings) {
  return static_cast<double>(nodes) <= most_beginnings * static_cast<double>(tokens);
}

/// The tries of a network's documents, a packed batch with an index on the CPU; none where that is not worth it, or the
/// gradient of a state would have to be known of each document. The documents begin with the network's states, or,
/// where none is given, all with the same.
std::vector<engine::Trie> find_tries(const engine::Network& network, bool is_state_given, double most_beginnings);

}  // namespace packseq::nn::detail
