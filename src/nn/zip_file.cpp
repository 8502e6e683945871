// The layout and the names are those of PKWARE's .ZIP File Format Specification, 4.3.
#include "nn/zip_file.hpp"

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

#include "nn/refusal.hpp"
#include "text/checksum.hpp"
#include "text/little_endian.hpp"

namespace packseq::nn::detail {
namespace {

constexpr std::uint64_t local_header_size = 30;
constexpr std::uint64_t entry_size = 46;           // in the directory
constexpr std::uint64_t end_size = 22;             // of the record that ends the archive
constexpr std::uint64_t most_behind_end = 0xFFFF;  // its comment, or what else was added
constexpr std::uint64_t locator_size = 20;         // of what is before that in an archive of more than 32 bits
constexpr std::uint64_t large_end_size = 56;

std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t size) {
  return packseq::detail::from_little_endian(bytes.substr(at, size));
}

template <class... Words>
[[noreturn]] void damaged(const Words&... words) {
  refuse("is a damaged zip archive: ", words..., ". Copy or download it again");
}

/// Replaces numbers that have no room in 32 bits, in this order, by those of the entry's extra field 1.
void read_large(std::string_view extra, std::initializer_list<std::uint64_t*> numbers) {
  constexpr std::size_t head = 4;
  while (extra.size() >= head) {
    const auto field = extra.substr(head, number_at(extra, 2, 2));
    const bool large = number_at(extra, 0, 2) == 1;
    extra.remove_prefix(head + field.size());
    if (!large) continue;
    std::size_t at = 0;
    for (auto* number : numbers) {
      if (*number != 0xFFFFFFFF || at + 8 > field.size()) continue;
      *number = number_at(field, at, 8);
      at += 8;
    }
  }
}

/// Where among the last bytes of an archive the record is that ends it; its comment must be there as a whole.
std::optional<std::size_t> find_end(std::string_view last) {
  for (auto at = last.size(); at-- > 0;) {
    const auto end = last.substr(at);
    if (end.starts_with("PK\5\6") && end.size() >= end_size && number_at(end, 20, 2) <= end.size() - end_size)
      return at;
  }
  return {};
}

/// So many zeros, if there is memory for them: a file may have more bytes than the disk, most of which are none.
std::string zeros(std::uint64_t size) {
  try {
    return std::string(size, '\0');
  } catch (const std::bad_alloc&) {
    refuse("needs ", size, " bytes of memory at once, more than there is");
  }
}

}  // namespace

ZipFile::ZipFile(const std::filesystem::path& file, std::uint64_t size)
    : stream_(file, std::ios::binary), file_size_(size) {
  const auto where = directory();
  read_directory(where);
  check_places(where.begin);
}

/// Where the archive's last bytes tell that its list of records is.
ZipFile::Directory ZipFile::directory() {
  const auto last_begin = file_size_ - std::min(file_size_, end_size + most_behind_end);
  const auto last = bytes(last_begin, file_size_ - last_begin);
  const auto in_last = find_end(last);
  if (!in_last) {
    refuse("is a zip archive that is cut short: it has ", file_size_,
           " bytes, and the last ones are not its end. Copy or download it again");
  }
  const auto end = std::string_view(last).substr(*in_last);
  Directory where{.begin = number_at(end, 16, 4), .size = number_at(end, 12, 4), .records = number_at(end, 10, 2)};
  const auto end_begin = last_begin + *in_last;
  if (end_begin < locator_size) return where;
  const auto locator = bytes(end_begin - locator_size, locator_size);
  if (!locator.starts_with("PK\6\7")) return where;
  const auto large = bytes(number_at(locator, 8, 8), large_end_size);
  if (!large.starts_with("PK\6\6")) damaged("its end has no list of records");
  return {.begin = number_at(large, 48, 8), .size = number_at(large, 40, 8), .records = number_at(large, 32, 8)};
}

void ZipFile::read_directory(const Directory& directory) {
  const auto all = bytes(directory.begin, directory.size);
  std::string_view rest = all;
  for (std::uint64_t i = 0; i < directory.records; ++i) rest.remove_prefix(read_entry(rest, directory.begin));
  if (!rest.empty()) damaged("its list has more than ", directory.records, " records");
}

/// How many bytes the first entry has, which is read. Records end before `end`.
std::size_t ZipFile::read_entry(std::string_view entries, std::uint64_t end) {
  if (entries.size() < entry_size || !entries.starts_with("PK\1\2")) damaged("its list of records is none");
  const auto name_size = number_at(entries, 28, 2);
  const auto extra_size = number_at(entries, 30, 2);
  const auto whole = entry_size + name_size + extra_size + number_at(entries, 32, 2);
  if (whole > entries.size()) damaged("its list of records is cut");
  std::string name(entries.substr(entry_size, name_size));
  auto packed = number_at(entries, 20, 4);
  auto size = number_at(entries, 24, 4);
  auto begin = number_at(entries, 42, 4);
  read_large(entries.substr(entry_size + name_size, extra_size), {&size, &packed, &begin});
  const bool encrypted = number_at(entries, 8, 2) % 2 == 1;
  const bool stored = number_at(entries, 10, 2) == 0 && packed == size && !encrypted;
  if (begin > end || packed > end - begin) damaged("its record ", name, " would have ", packed, " bytes at ", begin);
  if (records_.empty()) folder_ = name.substr(0, name.find('/') + 1);
  const auto checksum = static_cast<std::uint32_t>(number_at(entries, 16, 4));
  const Record record{
      .begin = begin, .packed = packed, .end = end, .size = size, .checksum = checksum, .stored = stored};
  if (const auto [place, added] = records_.emplace(std::move(name), record); !added) {
    damaged("it has two records ", place->first);
  }
  return whole;
}

/// From the first to the last each record ends before the next one begins, the last before `end`.
void ZipFile::check_places(std::uint64_t end) {
  std::vector<std::pair<const std::string, Record>*> in_place;
  for (auto& entry : records_) in_place.push_back(&entry);
  std::sort(in_place.begin(), in_place.end(),
            [](const auto* a, const auto* b) { return a->second.begin > b->second.begin; });
  for (auto* entry : in_place) {
    auto& [name, record] = *entry;
    const auto least = record.begin + local_header_size + name.size() + record.packed;
    if (least > end) {
      damaged("its record ", name, " at ", record.begin, " reaches into what begins at ", end);
    }
    record.end = end;
    end = record.begin;
  }
}

const ZipFile::Record& ZipFile::find(const std::string& record) const {
  const auto found = records_.find(folder_ + record);
  if (found == records_.end()) refuse("is a zip archive without the record ", record, ": torch.save did not write it");
  if (!found->second.stored) {
    refuse("has a record ", record, " that is compressed or encrypted, which torch.save does to none: in Python, read ",
           "the file with torch.load, and write it again with torch.save");
  }
  return found->second;
}

void ZipFile::read(const std::string& record, char* to) {
  const Record& place = find(record);
  const auto header = bytes(place.begin, local_header_size);
  const auto header_size = local_header_size + number_at(header, 26, 2) + number_at(header, 28, 2);
  const auto room = place.end - place.begin;
  if (!header.starts_with("PK\3\4") || header_size > room || place.size > room - header_size) {
    damaged("its record ", record, " is not at ", place.begin);
  }
  read(place.begin + header_size, place.size, to);
  // Python can be told to leave the checksum out.
  if (place.checksum != 0 && packseq::detail::crc32({to, place.size}) != place.checksum) {
    damaged("the checksum of its record ", record, " is not that of what was written");
  }
}

std::string ZipFile::text(const std::string& record) {
  auto text = zeros(size_of(record));
  read(record, text.data());
  return text;
}

std::string ZipFile::bytes(std::uint64_t begin, std::uint64_t size) {
  if (begin > file_size_ || size > file_size_ - begin) damaged("it refers to what would be behind its end");
  auto bytes = zeros(size);
  read(begin, size, bytes.data());
  return bytes;
}

void ZipFile::read(std::uint64_t begin, std::uint64_t size, char* to) {
  stream_.seekg(static_cast<std::streamoff>(begin));
  if (!stream_.read(to, static_cast<std::streamsize>(size))) refuse("cannot be read at ", begin);
}

}  // namespace packseq::nn::detail
