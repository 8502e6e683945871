#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "text/checksum.hpp"
#include "text/little_endian.hpp"

namespace packseq::test {

using ZipRecords = std::vector<std::pair<std::string, std::string>>;  // names and contents

/// A zip archive of records that are stored as they are, byte by byte as the format says; all places and sizes
/// `in_64_bits`, as an archive beyond 4 GB has them.
inline std::string zip_archive(const ZipRecords& records, bool in_64_bits = false) {
  const auto bytes = [](std::uint64_t number, std::size_t size) { return detail::to_little_endian(number, size); };
  std::string archive;
  std::string entries;
  for (const auto& [name, content] : records) {
    const auto checksum = bytes(detail::crc32(content), 4);
    const auto sizes = bytes(content.size(), in_64_bits ? 8 : 4) + bytes(content.size(), in_64_bits ? 8 : 4);
    const auto extra = in_64_bits ? bytes(1, 2) + bytes(24, 2) + sizes + bytes(archive.size(), 8) : std::string();
    const auto told = [&](std::uint64_t number) { return in_64_bits ? bytes(0xFFFFFFFF, 4) : bytes(number, 4); };
    const auto common = bytes(20, 2) + bytes(0, 8) + checksum + told(content.size()) + told(content.size()) +
                        bytes(name.size(), 2) + bytes(extra.size(), 2);
    entries += "PK\1\2" + bytes(20, 2) + common + bytes(0, 10) + told(archive.size()) + name + extra;
    archive += "PK\3\4" + common + name + extra + content;
  }
  const auto directory = archive.size();
  archive += entries;
  const auto end = archive.size();
  const auto numbers = [&](std::size_t count, std::size_t place) {
    return bytes(records.size(), count) + bytes(records.size(), count) + bytes(entries.size(), place) +
           bytes(directory, place);
  };
  if (in_64_bits) {
    archive += "PK\6\6" + bytes(44, 8) + bytes(0, 12) + numbers(8, 8);
    archive += "PK\6\7" + bytes(0, 4) + bytes(end, 8) + bytes(1, 4);
  }
  return archive + "PK\5\6" + bytes(0, 4) + (in_64_bits ? bytes(~0ULL, 8) + bytes(~0ULL, 4) : numbers(2, 4)) +
         bytes(0, 2);
}

}  // namespace packseq::test
