// Files of weights: which of their readers and writers does it.
#include <ATen/core/Tensor.h>

#include "nn/file_kind.hpp"
#include "nn/pickle_reader.hpp"
#include "nn/pickled_weights.hpp"
#include "nn/refusal.hpp"
#include "nn/safetensors_file.hpp"
#include "nn/torch_file.hpp"
#include "nn/torch_file_writer.hpp"
#include "nn/zip_file.hpp"
#include "packseq/nn/state_dict.hpp"

namespace packseq::nn {
namespace {

using detail::refuse;

/// Refuses the archives of exported programs and of TorchScript, as which torch::save of C++ writes its own, too. What
/// they have beside these records may be compressed.
void check_no_program(detail::ZipFile& file) {
  if (file.has("archive_format")) {
    refuse("is an exported program: in Python, write torch.save(torch.export.load(file).state_dict, other_file)");
  }
  if (!file.has("constants.pkl")) return;
  if (file.text("data.pkl").starts_with("\x80\2c__torch__\nModule\n")) {
    refuse("is an archive of torch::save in C++: read it with torch::load, and write it with write_state_dict");
  }
  refuse(
      "is a TorchScript archive: read it with torch::jit::load, or in Python write "
      "torch.save(torch.jit.load(file).state_dict(), other_file)");
}

StateDict read_torch_file(const std::filesystem::path& path, std::uint64_t size, const ReadOptions& options) {
  detail::ZipFile archive(path, size);
  check_no_program(archive);
  const detail::Pickle pickle(archive.text("data.pkl"));
  detail::TorchFile file(archive);
  StateDict state;
  for (const auto& [key, tensor] : detail::pickled_weights(pickle.top(), options)) {
    try {
      state.insert(std::string(key), file.tensor(*tensor));
    } catch (const detail::Refusal& refusal) {
      refuse(refusal.what(), " (under the key \"", key, "\")");
    }
  }
  return state;
}

}  // namespace

StateDict read_state_dict(const std::filesystem::path& file, const ReadOptions& options) {
  return detail::naming("read_state_dict", file, [&]() -> StateDict {
    const auto [format, size] = detail::look_at(file);
    if (format == detail::WeightFormat::torch) return read_torch_file(file, size, options);
    if (!options.key.empty()) {
      refuse("is a safetensors file, in which nothing is nested: leave ReadOptions::key out");
    }
    return detail::read_safetensors_file(file, size).state;
  });
}

void write_state_dict(const std::filesystem::path& file, const StateDict& state) {
  detail::naming("write_state_dict", file, [&] { detail::write_torch_file(file, state); });
}

}  // namespace packseq::nn
