#include "cli/lengths.hpp"

namespace packseq::cli {

std::int64_t Lengths::documents() const {
  std::int64_t documents = 0;
  for (const auto& [length, count] : counts_) documents += count;
  return documents;
}

std::int64_t Lengths::tokens() const {
  std::int64_t tokens = 0;
  for (const auto& [length, count] : counts_) tokens += length * count;
  return tokens;
}

std::int64_t Lengths::at(std::int64_t rank) const {
  for (const auto& [length, count] : counts_) {
    if (rank < count) return length;
    rank -= count;
  }
  return longest();
}

}  // namespace packseq::cli
