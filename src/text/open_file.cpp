#include "text/open_file.hpp"

#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>

namespace packseq::detail {

std::unique_ptr<std::istream> open_file(const std::filesystem::path& file) {
  // A path that status() cannot look at cannot be opened either, and then the reason is known.
  std::error_code ignored;
  const auto type = std::filesystem::status(file, ignored).type();
  if (type == std::filesystem::file_type::not_found) {
    throw std::runtime_error(file.string() + ": no such file");
  }
  // A stream would open a directory, and fail only when it is read.
  if (type == std::filesystem::file_type::directory) {
    throw std::runtime_error(file.string() + ": is a directory");
  }
  auto stream = std::make_unique<std::ifstream>(file, std::ios::binary);
  if (!stream->is_open()) {
    const std::string reason = std::generic_category().message(errno);
    throw std::runtime_error(file.string() + ": cannot be opened (" + reason + ")");
  }
  return stream;
}

}  // namespace packseq::detail
