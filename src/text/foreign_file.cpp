#include "text/foreign_file.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace packseq::detail {
namespace {

using namespace std::string_view_literals;

struct Signature {
  std::string_view bytes;  // ? is any byte
  ForeignFile file;
};

// The first that fits: the mark of UTF-32 begins like that of UTF-16.
constexpr std::array signatures = {
    Signature{"\x1F\x8B"sv, {"compressed by gzip", "zcat FILE"}},
    Signature{"\x28\xB5\x2F\xFD"sv, {"compressed by zstd", "zstdcat FILE"}},
    Signature{"BZh?1AY&SY"sv, {"compressed by bzip2", "bzcat FILE"}},
    Signature{"\xFD\x37zXZ\0"sv, {"compressed by xz", "xzcat FILE"}},
    Signature{"PK\x03\x04"sv, {"a zip archive", "unzip -p FILE"}},
    Signature{"%PDF-"sv, {"a PDF document", "pdftotext FILE -"}},
    Signature{"\xFF\xFE\0\0"sv, {"UTF-32, as its mark tells", "iconv -f UTF-32 -t UTF-8 FILE"}},
    Signature{"\0\0\xFE\xFF"sv, {"UTF-32, as its mark tells", "iconv -f UTF-32 -t UTF-8 FILE"}},
    Signature{"\xFF\xFE"sv, {"UTF-16, as its mark tells", "iconv -f UTF-16 -t UTF-8 FILE"}},
    Signature{"\xFE\xFF"sv, {"UTF-16, as its mark tells", "iconv -f UTF-16 -t UTF-8 FILE"}},
};

bool fits(std::string_view bytes, std::string_view signature) noexcept {
  return bytes.size() >= signature.size() && std::equal(signature.begin(), signature.end(), bytes.begin(),
                                                        [](char s, char b) { return s == '?' || s == b; });
}

/// Whether two characters have ASCII in one byte and nothing in the other.
bool is_utf16_of_ascii(std::string_view bytes, std::size_t nothing) noexcept {
  if (bytes.size() < 4) return false;
  const auto is_ascii = [&](std::size_t at) { return bytes[at] >= '\t' && bytes[at] <= '~'; };
  return bytes[nothing] == 0 && bytes[2 + nothing] == 0 && is_ascii(1 - nothing) && is_ascii(3 - nothing);
}

}  // namespace

std::optional<ForeignFile> foreign_file(std::string_view first_bytes) noexcept {
  for (const Signature& signature : signatures) {
    if (fits(first_bytes, signature.bytes)) return signature.file;
  }
  if (is_utf16_of_ascii(first_bytes, 1)) return ForeignFile{"UTF-16 without a mark", "iconv -f UTF-16LE -t UTF-8 FILE"};
  if (is_utf16_of_ascii(first_bytes, 0)) return ForeignFile{"UTF-16 without a mark", "iconv -f UTF-16BE -t UTF-8 FILE"};
  return std::nullopt;
}

}  // namespace packseq::detail
