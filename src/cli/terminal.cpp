#include "cli/terminal.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <sstream>

namespace packseq::cli {
namespace {

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

}  // namespace

Terminal terminal_of(std::FILE* stream) {
  Terminal terminal;
  const int descriptor = fileno(stream);
  if (isatty(descriptor) == 0) return terminal;
  const char* type = std::getenv("TERM");
  terminal.interactive = type != nullptr && std::string_view(type) != "dumb";
  terminal.colour = terminal.interactive && !is_set("NO_COLOR");
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    terminal.columns = std::max<std::size_t>(size.ws_col, 40);
  }
  return terminal;
}

Theme::Theme(bool colour) : documents(1) {
  if (!colour) return;
  heading = fmt::emphasis::bold;
  faint = fmt::fg(fmt::terminal_color::bright_black);
  good = fmt::fg(fmt::terminal_color::green);
  bad = fmt::fg(fmt::terminal_color::red);
  documents.clear();
  for (const auto colour_of_document :
       {fmt::terminal_color::cyan, fmt::terminal_color::yellow, fmt::terminal_color::green,
        fmt::terminal_color::magenta, fmt::terminal_color::blue, fmt::terminal_color::red}) {
    documents.push_back(fmt::fg(colour_of_document));
  }
}

std::string wrapped(const std::string& text, std::size_t columns) {
  std::istringstream words(text);
  std::string result;
  std::string line;
  for (std::string word; words >> word;) {
    if (!line.empty() && width(line) + 1 + width(word) > columns) {
      result += line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return result + line + "\n";
}

std::string counted(std::int64_t number, std::string_view noun) {
  const char* ending = number == 1 ? "" : noun.ends_with("ch") ? "es" : "s";
  return fmt::format("{} {}{}", grouped(number), noun, ending);
}

std::string with_prefix(double number) {
  static constexpr std::array prefixes{"", "k", "M", "G", "T", "P"};
  std::size_t thousands = 0;
  while (number >= 999.5 && thousands + 1 < prefixes.size()) {
    number /= 1000;
    ++thousands;
  }
  const int decimals = thousands == 0 || number >= 99.95 ? 0 : number >= 9.995 ? 1 : 2;
  return fmt::format("{:.{}f} {}", number, decimals, prefixes[thousands]);
}

void tell(std::FILE* stream, const std::string& text) noexcept {
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

void Progress::show(std::string_view text) {
  if (terminal_.interactive) tell(stream_, fmt::format("\r{}\x1b[K", clipped(text, terminal_.columns - 1)));
}

}  // namespace packseq::cli
