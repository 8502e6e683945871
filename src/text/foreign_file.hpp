#pragma once

#include <optional>
#include <string_view>

namespace packseq::detail {

/// What a file is that is no text, and what turns it into one.
struct ForeignFile {
  std::string_view what;     ///< "compressed by gzip"
  std::string_view command;  ///< "zcat FILE": writes it as UTF-8 to standard output.
};

/// What begins like this, if that is known and no UTF-8.
std::optional<ForeignFile> foreign_file(std::string_view first_bytes) noexcept;

}  // namespace packseq::detail
