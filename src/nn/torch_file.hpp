#pragma once

#include <ATen/core/Tensor.h>
#include <caffe2/serialize/inline_container.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "nn/pickle_value.hpp"

namespace packseq::nn::detail {

/// A zip archive as `torch.save` writes it, of whose records nothing is read but what is asked for, and that once.
///
/// All functions throw Refusal if the archive is cut, damaged, or lacks what is asked for.
class TorchFile {
 public:
  explicit TorchFile(const std::filesystem::path& file);

  bool has(const std::string& record);
  std::string text(const std::string& record);

  /// A tensor on the CPU, in the byte order of this machine. Tensors of one storage share it again.
  at::Tensor tensor(const PickledTensor& pickled);

 private:
  std::uint64_t file_size_;
  std::optional<caffe2::serialize::PyTorchStreamReader> reader_;
  bool swapped_ = false;                                                  // the numbers are in the other byte order
  std::map<std::pair<std::string, std::size_t>, c10::Storage> storages_;  // by key, and width of what is swapped

  std::size_t size_of(const std::string& record);
  void read(const std::string& record, void* to, std::size_t size);
  c10::Storage storage(const PickledTensor& pickled);
};

}  // namespace packseq::nn::detail
