#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace packseq::cli {

/// Draws how often lengths of each range occur, one line per range, in at most `columns` columns. `lengths` are in
/// increasing order and begin at 1 or more.
std::vector<std::string> histogram(const std::vector<std::int64_t>& lengths, std::size_t columns);

}  // namespace packseq::cli
