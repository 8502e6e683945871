#include "nn/torch_file_writer.hpp"

#include <ATen/ops/empty.h>
#include <caffe2/serialize/inline_container.h>

#include <exception>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "nn/pickle_writer.hpp"
#include "nn/refusal.hpp"
#include "nn/torch_dtypes.hpp"
#include "nn/writable.hpp"
#include "text/replaced_file.hpp"

namespace packseq::nn::detail {
namespace {

/// The storages of the tensors that are written, each once. One that holds numbers of two dtypes is written for each:
/// Python would read both as the first.
class Storages {
 public:
  PickledTensor add(const std::string& key, const at::Tensor& tensor) {
    const auto dtype = tensor.scalar_type();
    const auto* known = torch_dtype(dtype);
    if (known == nullptr) {
      refuse("cannot be written: the tensor under the key \"", key, "\" is ", dtype,
             ", which torch.load does not read: convert it");
    }
    const c10::Storage& storage = tensor.storage();
    const auto [entry, added] = keys_.emplace(std::pair(storage.unsafeGetStorageImpl(), dtype), std::string());
    // Numbers are written whole: a storage may have bytes behind its last one.
    const auto width = static_cast<std::int64_t>(c10::elementSize(dtype));
    const auto bytes = static_cast<std::int64_t>(storage.nbytes()) / width * width;
    if (added) {
      entry->second = std::to_string(all_.size());
      all_.emplace_back(storage, bytes);
    }
    PickledTensor pickled{.storage = {.key = entry->second, .bytes = bytes}, .dtype = dtype};
    if (!known->storage.empty()) pickled.storage.dtype = dtype;
    pickled.offset = tensor.storage_offset();
    pickled.sizes = tensor.sizes().vec();
    pickled.strides = tensor.strides().vec();
    return pickled;
  }

  void write(caffe2::serialize::PyTorchStreamWriter& writer) const {
    for (std::size_t i = 0; i < all_.size(); ++i) {
      const auto& [storage, size] = all_[i];
      at::Tensor bytes = at::empty({0}, at::TensorOptions(at::kByte).device(storage.device()));
      bytes.set_(storage, 0, {size}, {1});
      bytes = bytes.cpu();
      writer.writeRecord("data/" + std::to_string(i), bytes.const_data_ptr(), static_cast<std::size_t>(size));
    }
  }

 private:
  std::map<std::pair<c10::StorageImpl*, c10::ScalarType>, std::string> keys_;
  std::vector<std::pair<c10::Storage, std::int64_t>> all_;  // and their bytes that are written
};

/// LibTorch's writer over a file of ours. A failure must not reach it, since it ends the archive on destruction, too:
/// it is kept, and nothing more is written.
void write_records(packseq::detail::ReplacedFile& file, const std::string& pickle, const Storages& storages) {
  std::exception_ptr failure;
  const auto write = [&](const void* bytes, std::size_t size) {
    try {
      if (!failure) file.write({static_cast<const char*>(bytes), size});
    } catch (...) {
      failure = std::current_exception();
    }
    return size;
  };
  caffe2::serialize::PyTorchStreamWriter writer(write);
  const auto record = [&writer](const std::string& name, std::string_view content) {
    writer.writeRecord(name, content.data(), content.size());
  };
  record("data.pkl", pickle);
  record(".format_version", "1");
  record(".storage_alignment", "64");
  record("byteorder", "little");
  storages.write(writer);
  writer.writeEndOfFile();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

void write_torch_file(const std::filesystem::path& file, const StateDict& state) {
  PickleWriter pickle;
  Storages storages;
  for (const auto& entry : state)
    pickle.add(entry.key(), storages.add(entry.key(), writable(entry.key(), entry.value())));
  packseq::detail::ReplacedFile replaced(file);
  write_records(replaced, pickle.finish(), storages);
  replaced.commit();
}

}  // namespace packseq::nn::detail
