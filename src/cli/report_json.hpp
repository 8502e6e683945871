#pragma once

#include <filesystem>

#include "cli/compare.hpp"

namespace packseq::cli {

/// A file that gets the results of a comparison, whole or not at all.
class JsonFile {
 public:
  /// Finds out whether the file can be written, since a comparison may take long.
  /// @throws std::runtime_error if it cannot, or if something that is no regular file bears its name.
  explicit JsonFile(const std::filesystem::path& path);

  /// Writes the results, replacing a file that is there.
  /// @throws std::runtime_error if the file cannot be written.
  void write(const Comparison& comparison) const;

 private:
  std::filesystem::path path_;
};

}  // namespace packseq::cli
