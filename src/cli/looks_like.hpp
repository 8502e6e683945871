#pragma once

#include <optional>
#include <string>
#include <vector>

namespace packseq::cli {

/// What a text looks like that was not said to be that.
struct Looks {
  std::string text;          ///< "looks like CSV, ...", and what to do.
  std::string command = {};  ///< Makes a text of it, where there is one that does: "cut -f 2 FILE".
};

/// If the first lines of a text look like JSON lines, CSV or the like.
std::optional<Looks> what_it_looks_like(const std::vector<std::string>& lines);

}  // namespace packseq::cli
