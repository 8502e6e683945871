#include "data/checked_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <system_error>

#include "text/checksum.hpp"
#include "text/little_endian.hpp"
#include "text/replaced_file.hpp"

namespace packseq::data::detail {
namespace {

namespace fs = std::filesystem;
using packseq::detail::crc64;
using packseq::detail::from_little_endian;
using packseq::detail::to_little_endian;

// A line that says what the file is, the payload's length and its checksum, and the payload.
constexpr std::string_view magic = "packseq checkpoint ";
constexpr std::string_view version = "1";
constexpr std::size_t line_size = magic.size() + version.size() + 1;
constexpr std::size_t number_size = 8;
constexpr std::size_t head_size = line_size + 2 * number_size;

/// A file of which nothing is believed yet.
class UncheckedFile {
 public:
  explicit UncheckedFile(const fs::path& file) : file_(file) {
    std::error_code error;
    const auto status = fs::status(file, error);
    if (fs::exists(status) && !fs::is_regular_file(status)) refuse("cannot be read (it is no regular file)");
    stream_.open(file, std::ios::binary);
    if (!stream_) refuse("cannot be read (" + std::generic_category().message(errno) + ")");
    stream_.seekg(0, std::ios::end);
    size_ = static_cast<std::uint64_t>(stream_.tellg());
    stream_.seekg(0);
  }

  std::string payload() {
    const std::string head = next(std::min<std::uint64_t>(size_, head_size));
    check_line(std::string_view(head).substr(0, line_size));
    if (size_ < head_size) {
      refuse("is cut short: it has " + std::to_string(size_) + " bytes, and a checkpoint at least " +
             std::to_string(head_size));
    }
    check_length(from_little_endian(std::string_view(head).substr(line_size, number_size)));
    std::string payload = next(size_ - head_size);
    if (crc64(payload) != from_little_endian(std::string_view(head).substr(line_size + number_size))) {
      refuse("is altered: its checksum is not that of what was written");
    }
    return payload;
  }

 private:
  const fs::path& file_;
  std::ifstream stream_;
  std::uint64_t size_ = 0;

  [[noreturn]] void refuse(const std::string& problem) const {
    throw std::runtime_error(file_.string() + ": " + problem);
  }

  std::string next(std::uint64_t size) {
    std::string bytes(size, '\0');
    if (!stream_.read(bytes.data(), static_cast<std::streamsize>(size))) refuse("cannot be read (it became shorter)");
    return bytes;
  }

  /// `line` is shorter than a line should be if the file is cut short there: that is told later.
  void check_line(std::string_view line) const {
    if (line.substr(0, magic.size()) != magic.substr(0, line.size())) {
      refuse("is no checkpoint: it does not begin with '" + std::string(magic) + "'");
    }
    const auto found = line.substr(std::min(line.size(), magic.size()));
    if (found != std::string(version).append("\n").substr(0, found.size())) {
      refuse("is a checkpoint of another version, and must be of version " + std::string(version));
    }
  }

  void check_length(std::uint64_t written) const {
    const std::uint64_t length = size_ - head_size;
    const auto numbers = "its content has " + std::to_string(length) + " bytes of " + std::to_string(written);
    if (length < written) refuse("is cut short: " + numbers);
    if (length > written) refuse("is longer than written: " + numbers);
  }
};

}  // namespace

void write_checked_file(const fs::path& file, std::string_view payload) {
  packseq::detail::ReplacedFile replaced(file);
  replaced.write(std::string(magic).append(version).append("\n"));
  replaced.write(to_little_endian(payload.size(), number_size) + to_little_endian(crc64(payload), number_size));
  replaced.write(payload);
  replaced.commit();
}

std::string read_checked_file(const fs::path& file) { return UncheckedFile(file).payload(); }

}  // namespace packseq::data::detail
