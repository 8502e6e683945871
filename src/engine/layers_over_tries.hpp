#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/layer.hpp"
#include "engine/network.hpp"

namespace packseq::engine {

/// Runs layers over documents that begin alike: over the nodes of their tries, and back to their tokens.
class LayersOverTries {
 public:
  /// Of a network with tries, whose states record no gradients.
  explicit LayersOverTries(const Network& network);

  /// What tokens have as index, for the nodes of a direction.
  at::Tensor index_of_nodes(const at::Tensor& index, std::int64_t direction) const;

  /// Runs a layer that has one direction, whose data or index is of nodes, as its output is then.
  LayerResult run_over_nodes(Layer layer) { return run_direction(std::move(layer), 0); }

  /// Runs a layer whose index is of tokens, as its output is then.
  LayerResult run_over_tokens(const Layer& layer);

  /// What a network makes of the tokens whose nodes it has been run over.
  NetworkResult of_tokens(NetworkResult of_nodes) const;

 private:
  /// Memory for a layer, and that of the last but one, which nobody reads any more.
  kernels::Arena& next_arena() { return arenas_[turn_++ % arenas_.size()].emplace(); }

  /// A direction of a layer; its index or data is of the direction's nodes.
  LayerResult run_direction(Layer layer, std::int64_t direction);

  const std::vector<Trie>& tries_;
  std::array<std::optional<kernels::Arena>, 2> arenas_;  // of what is known of nodes, unless anybody sees it later
  std::size_t turn_ = 0;
  bool keeps_;
  at::Tensor reversed_;            // which token is which from the end, where that matters
  std::vector<at::Tensor> nodes_;  // by direction: of each token,
  std::vector<at::Tensor> last_;   // and of each document the one that the direction ends with
};

}  // namespace packseq::engine
