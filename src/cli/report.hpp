#pragma once

#include <string>

#include "cli/compare.hpp"
#include "cli/terminal.hpp"

namespace packseq::cli {

/// What a person wants to see of a comparison, in 80 columns.
std::string report(const Comparison& comparison, const Theme& theme);

}  // namespace packseq::cli
