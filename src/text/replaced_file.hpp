#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "packseq/export.hpp"

namespace packseq::detail {

/// A file that is written beside the one that it will replace: whatever fails, there is the old file or the whole new
/// one. A symbolic link to the old file stays one, and the new file gets the permissions of the old one.
///
/// All functions throw std::runtime_error, naming file and reason, if the system refuses.
class PACKSEQ_EXPORT ReplacedFile {
 public:
  /// Also throws if `file` is there and is no regular file, or one without permission to write.
  explicit ReplacedFile(const std::filesystem::path& file);

  /// Removes what was written, unless it has replaced the file.
  ~ReplacedFile();

  ReplacedFile(const ReplacedFile&) = delete;
  ReplacedFile& operator=(const ReplacedFile&) = delete;

  void write(std::string_view text);

  /// Puts all that was written in place of the file, once it is on the disk.
  void commit();

 private:
  std::filesystem::path file_;       // as the caller names it
  std::filesystem::path target_;     // where that leads to
  std::filesystem::path temporary_;  // empty once it has replaced the target
  int descriptor_ = -1;

  [[noreturn]] void fail(const std::string& reason) const;
  void check(bool succeeded) const;
};

}  // namespace packseq::detail
