#include "cli/program.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <future>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace packseq::test {
namespace {

int run_shell(const std::string& command) {
  const int status = std::system(command.c_str());
  if (!WIFEXITED(status)) throw std::runtime_error("ended by a signal: " + command);
  return WEXITSTATUS(status);
}

std::string quoted(const std::string& path) { return "'" + path + "'"; }

/// All that is written to the other end of a terminal until nobody has it open any more.
std::string read_until_closed(int descriptor) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (true) {
    const auto size = read(descriptor, buffer.data(), buffer.size());
    if (size <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

}  // namespace

ProgramRun run_packseq(const std::string& arguments, const std::string& input) {
  const TemporaryDirectory directory;
  const std::string out = directory.path() / "out";
  const std::string err = directory.path() / "err";
  const int exit_code = run_shell(quoted(PACKSEQ_PROGRAM) + " " + arguments + " >" + quoted(out) + " 2>" + quoted(err) +
                                  " <" + quoted(input));
  return {exit_code, read_file(out), read_file(err)};
}

std::string run_packseq_on_terminal(const std::string& arguments, const std::string& environment) {
  const int master = posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) throw std::runtime_error("no terminal to be had");
  const winsize size{24, 80, 0, 0};
  ioctl(master, TIOCSWINSZ, &size);
  const std::string terminal = ptsname(master);
  // Held open until the program has ended, or the reader could see the terminal closed before it is opened.
  const int held = open(terminal.c_str(), O_RDWR | O_NOCTTY);
  auto text = std::async(std::launch::async, read_until_closed, master);
  run_shell("env -u NO_COLOR " + environment + " " + quoted(PACKSEQ_PROGRAM) + " " + arguments + " >" + terminal +
            " 2>" + terminal + " </dev/null");
  close(held);
  std::string result = text.get();
  close(master);
  return result;
}

std::vector<std::string> lines(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TemporaryDirectory::TemporaryDirectory() {
  std::string name = std::filesystem::temp_directory_path() / "packseq-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory to be had");
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryDirectory::write(const std::string& name, std::string_view content) const {
  std::ofstream(path_ / name, std::ios::binary) << content;
  return path_ / name;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace packseq::test
