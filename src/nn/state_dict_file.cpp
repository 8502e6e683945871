// Files of weights: which of their readers and writers does it.
#include <ATen/core/Tensor.h>

#include "nn/file_kind.hpp"
#include "nn/pickle_reader.hpp"
#include "nn/pickled_weights.hpp"
#include "nn/refusal.hpp"
#include "nn/safetensors_file.hpp"
#include "nn/torch_file.hpp"
#include "nn/torch_file_writer.hpp"
#include "packseq/nn/state_dict.hpp"

namespace packseq::nn {
namespace {

using detail::refuse;

/// Refuses the archives of TorchScript, as which torch::save of C++ writes its own, too.
void check_no_script(detail::TorchFile& file) {
  if (!file.has("constants.pkl")) return;
  constexpr auto root = "code/__torch__.py";
  if (file.has(root) && file.text(root).starts_with("class Module(Module):")) {
    refuse("is an archive of torch::save in C++: read it with torch::load, and write it with write_state_dict");
  }
  refuse(
      "is a TorchScript archive: read it with torch::jit::load, or in Python write "
      "torch.save(torch.jit.load(file).state_dict(), other_file)");
}

StateDict read_torch_file(const std::filesystem::path& path, const ReadOptions& options) {
  detail::TorchFile file(path);
  check_no_script(file);
  if (!file.has("data.pkl")) refuse("is a zip archive without data.pkl: torch.save did not write it");
  const detail::Pickle pickle(file.text("data.pkl"));
  StateDict state;
  for (const auto& [key, tensor] : detail::pickled_weights(pickle.top(), options.key)) {
    try {
      state.insert(key, file.tensor(*tensor));
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
    if (format == detail::WeightFormat::torch) return read_torch_file(file, options);
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
