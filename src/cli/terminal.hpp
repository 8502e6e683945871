#pragma once

#include <fmt/color.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "text/columns.hpp"

namespace packseq::cli {

/// What may be written to a stream.
struct Terminal {
  bool interactive = false;  ///< A person is looking on: progress may be drawn.
  bool colour = false;       ///< Escape codes for colours are welcome.
  std::size_t columns = 80;
};

/// Looks at the stream, and at the variables NO_COLOR and TERM.
Terminal terminal_of(std::FILE* stream);

/// The colours of the program; without colour all of them are empty, and {fmt} then writes no escape codes.
struct Theme {
  explicit Theme(bool colour);

  /// The colour of a document, the same wherever its tokens are.
  const fmt::text_style& document(std::size_t index) const { return documents[index % documents.size()]; }

  fmt::text_style heading, faint, good, bad;
  std::vector<fmt::text_style> documents;
};

using detail::clipped;
using detail::grouped;
using detail::left;
using detail::repeated;
using detail::right;
using detail::width;

/// The text, broken at blanks into lines of at most `columns`.
std::string wrapped(const std::string& text, std::size_t columns);

/// "1 document", "2 documents", "3 batches".
std::string counted(std::int64_t number, std::string_view noun);

/// With three digits and a decimal prefix: 1234567 as "1.23 M".
std::string with_prefix(double number);

/// Writes what tells how a command goes. Where there is no place for it, it is not worth that the command ends.
void tell(std::FILE* stream, const std::string& text) noexcept;

/// A line that is written again and again while something long is running; invisible unless on a terminal.
class Progress {
 public:
  explicit Progress(std::FILE* stream) : stream_(stream), terminal_(terminal_of(stream)) {}
  ~Progress() { show({}); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(std::string_view text);

 private:
  std::FILE* stream_;
  Terminal terminal_;
};

}  // namespace packseq::cli
