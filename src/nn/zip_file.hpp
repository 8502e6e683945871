#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace packseq::nn::detail {

/// A zip archive whose records are stored as they are, all in one folder, as `torch.save` writes it. Read here, since
/// LibTorch's reader believes whatever sizes an archive tells, and does not look at checksums.
///
/// All functions throw Refusal if the archive is cut, damaged, or lacks what is asked for.
class ZipFile {
 public:
  /// Reads the list of records of an archive of `size` bytes; no two may lie in the same place.
  ZipFile(const std::filesystem::path& file, std::uint64_t size);

  /// Records are named as they are in the folder: "data.pkl".
  bool has(const std::string& record) const { return records_.contains(folder_ + record); }

  /// How many bytes a record has, none of which lies beyond the file.
  std::uint64_t size_of(const std::string& record) const { return find(record).size; }

  /// Reads a record, as many bytes as `size_of` tells.
  void read(const std::string& record, char* to);
  std::string text(const std::string& record);

 private:
  struct Record {
    std::uint64_t begin;   // of its header
    std::uint64_t packed;  // bytes that it takes behind its header
    std::uint64_t end;     // where the next one begins
    std::uint64_t size;
    std::uint32_t checksum;
    bool stored;
  };

  std::ifstream stream_;
  std::uint64_t file_size_;
  std::string folder_;
  std::unordered_map<std::string, Record> records_;

  struct Directory {
    std::uint64_t begin;
    std::uint64_t size;
    std::uint64_t records;
  };

  Directory directory();
  void read_directory(const Directory& directory);
  std::size_t read_entry(std::string_view entries, std::uint64_t end);
  void check_places(std::uint64_t end);
  const Record& find(const std::string& record) const;
  std::string bytes(std::uint64_t begin, std::uint64_t size);
  void read(std::uint64_t begin, std::uint64_t size, char* to);
};

}  // namespace packseq::nn::detail
