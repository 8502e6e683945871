#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/lengths.hpp"

namespace packseq::cli {

/// Draws how often lengths of each range occur, one line per range, in at most `columns` columns. There is
/// a document, and none of length 0.
std::vector<std::string> histogram(const Lengths& lengths, std::size_t columns);

}  // namespace packseq::cli
