#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace packseq::test {

/// What a run of the program left.
struct ProgramRun {
  int exit_code;
  std::string out;
  std::string err;
};

/// Runs the program with `arguments`, which a shell splits, and a file as its standard input.
ProgramRun run_packseq(const std::string& arguments, const std::string& input = "/dev/null");

/// What the program writes to a terminal of 80 columns, its standard output, with `environment` set before it.
std::string run_packseq_on_terminal(const std::string& arguments, const std::string& environment = "TERM=xterm");

/// The lines of a text.
std::vector<std::string> lines(const std::string& text);

/// A directory that lasts as long as the value.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }

  /// Writes a file in it and returns its path.
  std::string write(const std::string& name, std::string_view content) const;

 private:
  std::filesystem::path path_;
};

/// All that is in a file.
std::string read_file(const std::filesystem::path& path);

}  // namespace packseq::test
