#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <typeinfo>

#include "input.hpp"
#include "text/text_error.hpp"

namespace packseq::fuzz {

/// A file of this process's own, in memory where the system has a place for that.
class InputFile {
 public:
  InputFile() { std::filesystem::create_directory(directory_); }
  ~InputFile() { std::filesystem::remove_all(directory_); }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void write(std::string_view bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }

  std::string content() const {
    std::ifstream stream(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

 private:
  static std::filesystem::path place() {
    return std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : std::filesystem::temp_directory_path();
  }

  const std::filesystem::path directory_ = place() / ("packseq-fuzz-" + std::to_string(getpid()));
  const std::filesystem::path path_ = directory_ / "input";
};

/// The text of an error begins with the file's name.
inline void require_names(const std::exception& error, const std::filesystem::path& file) {
  require(std::string_view(error.what()).starts_with(file.string()), "an error does not name the file");
}

/// Whether `action` ends without an exception. One that it may throw is a std::runtime_error or detail::TextError, none
/// derived from them, whose text begins with the file's name; libFuzzer reports all others.
template <class Action>
bool succeeds(const std::filesystem::path& file, Action&& action) {
  try {
    action();
    return true;
  } catch (const std::runtime_error& error) {
    require(typeid(error) == typeid(std::runtime_error) || typeid(error) == typeid(detail::TextError),
            "a system's error comes through");
    require_names(error, file);
    return false;
  }
}

}  // namespace packseq::fuzz
