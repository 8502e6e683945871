#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/corpus.hpp"
#include "cli/terminal.hpp"

namespace packseq::cli {

/// Which documents are shown.
struct ShowOptions {
  std::optional<std::filesystem::path> file = {};  ///< If there is none, three short documents.
  TextOptions text = {};
  std::size_t documents = 5;  ///< The first ones.
};

/// Draws documents as vocabulary, padded matrix and packed layout, in at most `terminal.columns` columns.
/// @throws std::runtime_error if the file cannot be read or has no document.
std::string show(const ShowOptions& options, const Terminal& terminal);

}  // namespace packseq::cli
