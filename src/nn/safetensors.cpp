#include "packseq/nn/safetensors.hpp"

#include <ATen/ops/empty.h>

#include <fstream>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "nn/file_kind.hpp"
#include "nn/refusal.hpp"
#include "nn/safetensors_file.hpp"
#include "nn/safetensors_header.hpp"
#include "nn/writable.hpp"
#include "text/little_endian.hpp"
#include "text/replaced_file.hpp"

namespace packseq::nn {
namespace {

using detail::refuse;
using detail::SafetensorsHeader;

std::uint64_t length_of_header(std::ifstream& stream, std::uint64_t size) {
  char bytes[8] = {};
  if (!stream.read(bytes, sizeof bytes)) refuse("is cut short within the length of its header");
  const auto length = packseq::detail::from_little_endian({bytes, sizeof bytes});
  if (length > detail::most_header_bytes) {
    refuse("is no safetensors file, or damaged: its header would have ", length, " bytes, and must have ",
           detail::most_header_bytes, " at most");
  }
  if (length > size - sizeof bytes) {
    refuse("is cut short: its header has ", length, " bytes, and the whole file ", size);
  }
  return length;
}

at::Tensor read_tensor(std::ifstream& stream, std::streamoff begin, const detail::SafetensorsEntry& entry) {
  at::Tensor tensor;
  try {
    tensor = at::empty(entry.sizes, entry.dtype);
  } catch (const c10::Error&) {
    refuse("needs ", entry.end - entry.begin, " bytes of memory for its tensor ", entry.name, ", more than there is");
  }
  stream.seekg(begin + static_cast<std::streamoff>(entry.begin));
  const auto bytes = static_cast<std::streamsize>(entry.end - entry.begin);
  if (bytes > 0 && !stream.read(static_cast<char*>(tensor.mutable_data_ptr()), bytes)) {
    refuse("cannot be read up to the end of its tensor ", entry.name);
  }
  return tensor;
}

/// Adds names that the metadata note for tensors which the file has under another.
void tie(Safetensors& content) {
  StateDict tied;
  for (const auto& [name, other] : content.metadata) {
    if (name == "format" || content.state.contains(name)) continue;  // that is said of nearly every file
    if (const at::Tensor* tensor = content.state.find(other)) tied.insert(name, at::Tensor(*tensor));
  }
  content.state.update(tied);
}

/// The tensors to write, and in the metadata the names of those that are tied to one of them.
StateDict untied(const StateDict& state, std::map<std::string, std::string>& metadata) {
  using Memory =
      std::tuple<const void*, std::string, c10::ScalarType, std::vector<std::int64_t>, std::vector<std::int64_t>>;
  std::map<std::string, at::Tensor> by_name;
  for (const auto& entry : state) by_name.emplace(entry.key(), detail::writable(entry.key(), entry.value()));
  std::map<Memory, std::string> written;
  StateDict rest;
  for (auto& [name, tensor] : by_name) {
    const Memory memory{tensor.const_data_ptr(), tensor.device().str(), tensor.scalar_type(), tensor.sizes().vec(),
                        tensor.strides().vec()};
    const auto [first, added] = written.emplace(memory, name);
    if (added || tensor.numel() == 0) {
      rest.insert(name, std::move(tensor));
    } else if (const auto [note, noted] = metadata.emplace(name, first->second); note->second != first->second) {
      refuse("cannot be written: metadata has the text \"", note->second, "\" under the name ", name,
             ", where it must be noted that this tensor is tied to ", first->second);
    }
  }
  return rest;
}

}  // namespace

Safetensors detail::read_safetensors_file(const std::filesystem::path& file, std::uint64_t size) {
  std::ifstream stream(file, std::ios::binary);
  const auto length = length_of_header(stream, size);
  std::string json(length, '\0');
  if (!stream.read(json.data(), static_cast<std::streamsize>(length))) refuse("cannot be read up to its tensors");
  const auto begin = static_cast<std::streamoff>(8 + length);
  SafetensorsHeader header = parse_safetensors_header(json, size - 8 - length);
  json = {};
  Safetensors content;
  content.metadata = std::move(header.metadata);
  for (const auto& entry : header.entries) content.state.insert(entry.name, read_tensor(stream, begin, entry));
  tie(content);
  return content;
}

Safetensors read_safetensors(const std::filesystem::path& file) {
  return detail::naming("read_safetensors", file, [&file] {
    const auto [format, size] = detail::look_at(file);
    if (format != detail::WeightFormat::safetensors) {
      refuse("is a file of torch.save, not of safetensors: read_state_dict reads it");
    }
    return detail::read_safetensors_file(file, size);
  });
}

void write_safetensors(const std::filesystem::path& file, const StateDict& state,
                       const std::map<std::string, std::string>& metadata) {
  detail::naming("write_safetensors", file, [&] {
    SafetensorsHeader header{.entries = {}, .metadata = metadata};
    const StateDict tensors = untied(state, header.metadata);
    for (const auto& entry : tensors) {
      if (entry.key() == "__metadata__") refuse("cannot be written: no tensor may be called __metadata__");
      header.entries.push_back(
          {.name = entry.key(), .dtype = entry.value().scalar_type(), .sizes = entry.value().sizes().vec()});
    }
    const auto head = detail::write_safetensors_header(header);
    packseq::detail::ReplacedFile replaced(file);
    replaced.write(head);
    for (const auto& entry : header.entries) {
      const at::Tensor numbers = tensors[entry.name].cpu().contiguous();
      replaced.write({static_cast<const char*>(numbers.const_data_ptr()), entry.end - entry.begin});
    }
    replaced.commit();
  });
}

}  // namespace packseq::nn
