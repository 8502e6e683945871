#pragma once

#include <optional>
#include <string>
#include <vector>

namespace packseq::cli {

/// If the first lines of a text look like JSON lines, CSV or the like: "looks like CSV: ...", and what to do.
std::optional<std::string> what_it_looks_like(const std::vector<std::string>& lines);

}  // namespace packseq::cli
