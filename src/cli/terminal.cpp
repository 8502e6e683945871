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

constexpr bool continues_code_point(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

/// Whether a code point is a control character, C0 or C1: in a text that is drawn it could do anything.
bool is_control(std::string_view code_point) {
  const auto byte = [&](std::size_t index) { return static_cast<unsigned char>(code_point[index]); };
  return code_point.size() == 1 ? byte(0) < 0x20 || byte(0) == 0x7F : byte(0) == 0xC2 && byte(1) < 0xA0;
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

std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char byte) { return !continues_code_point(byte); }));
}

std::string clipped(std::string_view text, std::size_t columns) {
  const bool whole = width(text) <= columns;
  std::string result;
  for (std::size_t kept = 0; !text.empty() && kept < (whole ? columns : columns - 1); ++kept) {
    std::size_t bytes = 1;
    while (bytes < text.size() && continues_code_point(text[bytes])) ++bytes;
    const auto code_point = text.substr(0, bytes);
    result += is_control(code_point) ? "\uFFFD" : code_point;
    text.remove_prefix(bytes);
  }
  return whole ? result : result + "…";
}

std::string left(std::string_view text, std::size_t columns) {
  return std::string(text).append(columns - std::min(columns, width(text)), ' ');
}

std::string right(std::string_view text, std::size_t columns) {
  return std::string(columns - std::min(columns, width(text)), ' ').append(text);
}

std::string repeated(std::string_view text, std::size_t count) {
  std::string result;
  while (count-- > 0) result += text;
  return result;
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

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (auto position = static_cast<std::ptrdiff_t>(digits.size()) - 3; position > 0; position -= 3) {
    digits.insert(static_cast<std::size_t>(position), 1, ',');
  }
  return digits;
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

void Progress::show(std::string_view text) {
  if (!terminal_.interactive) return;
  fmt::print(stream_, "\r{}\x1b[K", clipped(text, terminal_.columns - 1));
  std::fflush(stream_);
}

}  // namespace packseq::cli
