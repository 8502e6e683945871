#pragma once

#include <vector>

#include "engine/network.hpp"

namespace packseq::nn::detail {

/// The tries of a network's documents, a packed batch with an index on the CPU; none where their nodes are more
/// than `most_beginnings` of the tokens, or the gradient of a state would have to be known of each document. The
/// documents begin with the network's states, or, where none is given, all with the same.
std::vector<engine::Trie> find_tries(const engine::Network& network, bool is_state_given, double most_beginnings);

}  // namespace packseq::nn::detail
