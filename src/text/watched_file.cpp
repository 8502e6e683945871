#include "text/watched_file.hpp"

#include <stdexcept>
#include <system_error>

namespace packseq::detail {
namespace {

/// What a function of the file system gives, or the reason why it gives nothing.
template <class Function>
auto asked(const std::string& name, const Function& function) {
  std::error_code error;
  auto answer = function(error);
  if (error) throw std::runtime_error(name + ": cannot be looked at (" + error.message() + ")");
  return answer;
}

std::uintmax_t size_of(const std::filesystem::path& file) {
  return asked(file.string(), [&](std::error_code& error) { return std::filesystem::file_size(file, error); });
}

std::filesystem::file_time_type change_of(const std::filesystem::path& file) {
  return asked(file.string(), [&](std::error_code& error) { return std::filesystem::last_write_time(file, error); });
}

std::filesystem::file_type type_of(const std::filesystem::path& file) {
  std::error_code ignored;  // it is in the type
  return std::filesystem::status(file, ignored).type();
}

}  // namespace

WatchedFile::WatchedFile(const std::filesystem::path& file)
    : path_(file), name_(std::make_shared<const std::string>(file.string())) {
  const auto type = type_of(file);
  if (type == std::filesystem::file_type::not_found) throw std::runtime_error(*name_ + ": no such file");
  // Of a file that may not be looked at there is no type, and its size tells why.
  if (type != std::filesystem::file_type::regular && type != std::filesystem::file_type::none) {
    throw std::runtime_error(*name_ + ": is no regular file");
  }
  size_ = size_of(file);
  changed_ = change_of(file);
}

void WatchedFile::check_unchanged() const {
  if (type_of(path_) == std::filesystem::file_type::not_found) {
    throw std::runtime_error(*name_ + ": is gone since the reader was made");
  }
  const std::uintmax_t size = size_of(path_);
  if (size != size_) {
    throw std::runtime_error(*name_ + ": has changed since the reader was made: it had " + std::to_string(size_) +
                             " bytes, and has " + std::to_string(size));
  }
  if (change_of(path_) != changed_) {
    throw std::runtime_error(*name_ + ": has changed since the reader was made: it was written to again");
  }
}

}  // namespace packseq::detail
