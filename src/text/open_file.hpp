#pragma once

#include <filesystem>
#include <istream>
#include <memory>

namespace packseq::detail {

/// A stream of a file's bytes.
/// @throws std::runtime_error, naming the file, if it does not exist, is a directory, or cannot be opened.
std::unique_ptr<std::istream> open_file(const std::filesystem::path& file);

}  // namespace packseq::detail
