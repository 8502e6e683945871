#pragma once

#include <string>

#include "cli/compare.hpp"
#include "cli/terminal.hpp"

namespace packseq::cli {

/// What many documents take: a table of core-hours, energy and cost, as far as they are known. Empty where neither the
/// user nor the machine said anything of them.
std::string scale_table(const Comparison& comparison, const Theme& theme);

/// Where the table's figures are from, and why energy was not measured where the machine has counters.
std::string scale_legend(const Comparison& comparison);

}  // namespace packseq::cli
