#include "text/replaced_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace packseq::detail {
namespace {

/// A name that no other thread or process takes at the same time.
std::string temporary_name() {
  static std::atomic<unsigned> count = 0;
  return ".packseq-" + std::to_string(getpid()) + "-" + std::to_string(count++);
}

}  // namespace

ReplacedFile::ReplacedFile(const std::filesystem::path& file) : file_(file) {
  std::error_code error;
  target_ = std::filesystem::weakly_canonical(file, error);
  if (error) fail(error.message());
  if (std::filesystem::is_symlink(target_, error)) fail("it is a symbolic link to a file that is not there");
  if (std::filesystem::exists(target_, error)) {
    if (!std::filesystem::is_regular_file(target_, error)) fail("it is no regular file");
    check(access(target_.c_str(), W_OK) == 0);
  }
  struct stat old {};
  // Never more than the old file allows, also while it is written.
  const mode_t mode = stat(target_.c_str(), &old) == 0 ? old.st_mode & 0777 : 0666;
  do {
    temporary_ = target_.parent_path() / temporary_name();
    descriptor_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  } while (descriptor_ < 0 && errno == EEXIST);  // left behind by a process that was killed
  check(descriptor_ >= 0);
}

ReplacedFile::~ReplacedFile() {
  if (descriptor_ >= 0) close(descriptor_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

void ReplacedFile::write(std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(descriptor_, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    check(written >= 0);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void ReplacedFile::commit() {
  struct stat old {};
  if (stat(target_.c_str(), &old) == 0) {
    mode_t mode = old.st_mode & 07777;
    // Where the group cannot be kept, its permissions must not become another group's.
    if (fchown(descriptor_, static_cast<uid_t>(-1), old.st_gid) != 0) mode &= ~static_cast<mode_t>(S_IRWXG | S_ISGID);
    check(fchmod(descriptor_, mode) == 0);
  }
  check(fsync(descriptor_) == 0);
  check(close(std::exchange(descriptor_, -1)) == 0);
  check(rename(temporary_.c_str(), target_.c_str()) == 0);
  temporary_.clear();
}

void ReplacedFile::fail(const std::string& reason) const {
  throw std::runtime_error(file_.string() + ": cannot be written (" + reason + ")");
}

void ReplacedFile::check(bool succeeded) const {
  if (!succeeded) fail(std::generic_category().message(errno));
}

}  // namespace packseq::detail
