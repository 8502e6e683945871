#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <utility>

#include "nn/pickle_value.hpp"
#include "nn/zip_file.hpp"

namespace packseq::nn::detail {

/// The tensors in an archive of `torch.save`, each of whose records is read once, when it is asked for.
class TorchFile {
 public:
  /// @throws Refusal if the archive tells no byte order that there is.
  explicit TorchFile(ZipFile& archive);

  /// A tensor on the CPU, in the byte order of this machine. Tensors of one storage share it again.
  /// @throws Refusal if the tensor is not within its storage, or the archive lacks that.
  at::Tensor tensor(const PickledTensor& pickled);

 private:
  ZipFile& archive_;
  bool swapped_ = false;                                                  // the numbers are in the other byte order
  std::map<std::pair<std::string, std::size_t>, c10::Storage> storages_;  // by key, and width of what is swapped

  c10::Storage storage(const PickledTensor& pickled);
};

}  // namespace packseq::nn::detail
