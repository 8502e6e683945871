#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace packseq::detail {

/// Cuts documents into contiguous shards of about as many bytes each, for as many threads: shard s begins at document
/// bounds[s] and ends before bounds[s + 1]. There are fewer shards than `max_shards` where a thread would not pay.
template <class Documents>
std::vector<std::size_t> shard_bounds(const Documents& documents, std::size_t max_shards) {
  constexpr std::size_t worth_a_thread = 256 * 1024;  // some milliseconds of work; a thread starts in less than 0.1
  std::size_t bytes = 0;
  for (const auto& document : documents) bytes += document.size();
  const std::size_t shards = std::clamp<std::size_t>(bytes / worth_a_thread, 1, max_shards);

  std::vector<std::size_t> bounds = {0};
  std::size_t seen = 0;
  for (std::size_t i = 0; i < documents.size() && bounds.size() < shards; ++i) {
    seen += documents[i].size();
    if (seen * shards >= bytes * bounds.size()) bounds.push_back(i + 1);
  }
  bounds.push_back(documents.size());
  return bounds;
}

}  // namespace packseq::detail
