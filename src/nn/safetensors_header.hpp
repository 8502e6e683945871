#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace packseq::nn::detail {

/// The most bytes that a header may have, by the format.
constexpr std::uint64_t most_header_bytes = 100'000'000;

/// A tensor of a safetensors file: bytes `begin` to `end` behind the header.
struct SafetensorsEntry {
  std::string name;
  c10::ScalarType dtype = c10::ScalarType::Undefined;
  std::vector<std::int64_t> sizes = {};
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// The header of a safetensors file.
struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;
  std::map<std::string, std::string> metadata;
};

/// Reads a header, of a file with `size` bytes behind it, which must each belong to one tensor.
/// @throws Refusal that says what is wrong with it.
SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t size);

/// Writes a header, padded, with its length before it. Brings the entries in the order in which the format's own writer
/// has them, and tells them where their bytes are.
/// @throws Refusal if the format does not have a dtype, a name is not UTF-8, or the header would be too long.
std::string write_safetensors_header(SafetensorsHeader& header);

}  // namespace packseq::nn::detail
