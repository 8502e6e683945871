#include "nn/safetensors_header.hpp"

#include <c10/util/ArrayRef.h>
#include <c10/util/safe_numerics.h>

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <utility>

#include "nn/refusal.hpp"
#include "nn/safetensors_dtypes.hpp"
#include "nn/safetensors_json.hpp"
#include "text/little_endian.hpp"

namespace packseq::nn::detail {
namespace {

/// How many bytes a tensor has by its dtype and sizes.
std::uint64_t bytes_of(const SafetensorsEntry& entry) {
  auto bytes = static_cast<std::int64_t>(c10::elementSize(entry.dtype));
  for (const auto size : entry.sizes) {
    // Strides are computed of an empty tensor, too: LibTorch counts a size of none as one there.
    if (c10::mul_overflows(bytes, std::max<std::int64_t>(size, 1), &bytes)) {
      refuse("is damaged: tensor ", entry.name, " has sizes ", c10::ArrayRef<std::int64_t>(entry.sizes),
             ", beyond 64 bits");
    }
  }
  const bool empty = std::find(entry.sizes.begin(), entry.sizes.end(), 0) != entry.sizes.end();
  return empty ? 0 : static_cast<std::uint64_t>(bytes);
}

/// From first to last, the bytes of the tensors follow each other, up to the end of the file.
void check_places(const std::vector<SafetensorsEntry>& entries, std::uint64_t size) {
  std::vector<const SafetensorsEntry*> in_place;
  for (const auto& entry : entries) in_place.push_back(&entry);
  std::sort(in_place.begin(), in_place.end(),
            [](const auto* a, const auto* b) { return std::pair(a->begin, a->end) < std::pair(b->begin, b->end); });
  std::uint64_t end = 0;
  for (const auto* entry : in_place) {
    const auto place = c10::str("tensor ", entry->name, " has the data_offsets [", entry->begin, ", ", entry->end, ']');
    if (entry->end < entry->begin) refuse("is damaged: ", place, ", and they must not fall");
    const auto bytes = bytes_of(*entry);
    if (entry->end - entry->begin != bytes) {
      refuse("is damaged: ", place, ", and of dtype ", entry->dtype, " and sizes ",
             c10::ArrayRef<std::int64_t>(entry->sizes), " it must have ", bytes, " bytes");
    }
    if (entry->begin != end) {
      refuse("is damaged: ", place, ", and must begin at ", end, ": tensors must neither overlap nor leave a hole");
    }
    end = entry->end;
  }
  if (end > size) refuse("is cut short: behind its header it has ", size, " bytes of ", end);
  if (end < size) refuse("is damaged: behind its last tensor are ", size - end, " bytes that belong to none");
}

const SafetensorsDtype& dtype_of(const SafetensorsEntry& entry) {
  const auto found = std::find_if(safetensors_dtypes.begin(), safetensors_dtypes.end(),
                                  [&entry](const auto& known) { return known.dtype == entry.dtype; });
  if (found == safetensors_dtypes.end()) {
    refuse("cannot be written: the tensor under the key \"", entry.name, "\" is ", entry.dtype,
           ", which safetensors does not have: convert it, or use write_state_dict");
  }
  return *found;
}

/// A text as JSON.
std::string json_text(const std::string& text) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::type_error&) {
    refuse("cannot be written: a name or text is not UTF-8: ", text);
  }
}

std::string joined(const std::vector<std::int64_t>& numbers, std::int64_t times_last) {
  std::string text;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i > 0) text += ',';
    text += std::to_string(numbers[i] * (i + 1 == numbers.size() ? times_last : 1));
  }
  return text;
}

std::string json_of(const SafetensorsHeader& header) {
  std::string json;
  if (!header.metadata.empty()) {
    std::string texts;
    for (const auto& [name, text] : header.metadata) {
      texts += c10::str(texts.empty() ? "" : ",", json_text(name), ':', json_text(text));
    }
    json += "\"__metadata__\":{" + texts + '}';
  }
  for (const auto& entry : header.entries) {
    json += c10::str(json.empty() ? "" : ",", json_text(entry.name), ":{\"dtype\":\"", dtype_of(entry).name,
                     "\",\"shape\":[", joined(entry.sizes, numbers_in_one(entry.dtype)), "],\"data_offsets\":[",
                     entry.begin, ',', entry.end, "]}");
  }
  return '{' + json + '}';
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t size) {
  // The parser takes a zero byte for the end.
  if (const auto zero = json.find('\0'); zero != std::string_view::npos) {
    refuse("is damaged: its header is no JSON at byte ", zero);
  }
  SafetensorsHeader header;
  SafetensorsJson handler(header);
  nlohmann::json::sax_parse(json.begin(), json.end(), &handler);
  check_places(header.entries, size);
  return header;
}

std::string write_safetensors_header(SafetensorsHeader& header) {
  std::sort(header.entries.begin(), header.entries.end(), [](const auto& a, const auto& b) {
    return std::pair(&dtype_of(a), std::string_view(a.name)) < std::pair(&dtype_of(b), std::string_view(b.name));
  });
  std::uint64_t end = 0;
  for (auto& entry : header.entries) {
    if (numbers_in_one(entry.dtype) > 1 && entry.sizes.empty()) {
      refuse("cannot be written: the tensor under the key \"", entry.name, "\" is ", entry.dtype,
             ", of which safetensors has no scalars: write its .unsqueeze(0)");
    }
    entry.begin = end;
    entry.end = end += bytes_of(entry);
  }
  std::string json = json_of(header);
  json.resize((json.size() + 7) / 8 * 8, ' ');
  if (json.size() > most_header_bytes) {
    refuse("cannot be written: its header would have ", json.size(), " bytes, and the format allows ",
           most_header_bytes);
  }
  return packseq::detail::to_little_endian(json.size(), 8) + json;
}

}  // namespace packseq::nn::detail
