#pragma once

#include <cstdint>
#include <vector>

#include "engine/network.hpp"
#include "packseq/nn/embedded.hpp"

namespace packseq::nn::detail {

/// Whether so many nodes save time in the place of so many tokens.
inline bool is_worth_sharing(std::int64_t nodes, std::int64_t tokens) {
  return static_cast<double>(nodes) <= most_beginnings * static_cast<double>(tokens);
}

/// The tries of a network's documents, a packed batch with an index on the CPU; none where they would save no time, or
/// the gradient of a state would have to be known of each document. The documents begin with the network's states, or,
/// where none is given, all with the same.
std::vector<engine::Trie> find_tries(const engine::Network& network, bool is_state_given);

}  // namespace packseq::nn::detail
