#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace packseq::detail {

/// A file that must stay as it is.
class WatchedFile {
 public:
  /// @throws std::runtime_error, naming the file, if it does not exist, is no regular file, or cannot be looked at.
  explicit WatchedFile(const std::filesystem::path& file);

  const std::filesystem::path& path() const noexcept { return path_; }

  /// The path as text, which documents share.
  const std::shared_ptr<const std::string>& name() const noexcept { return name_; }

  /// @throws std::runtime_error, naming the file, if it is gone, or of another size or time of change.
  void check_unchanged() const;

 private:
  std::filesystem::path path_;
  std::shared_ptr<const std::string> name_;
  std::uintmax_t size_;
  std::filesystem::file_time_type changed_;
};

}  // namespace packseq::detail
