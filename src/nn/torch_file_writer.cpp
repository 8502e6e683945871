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
#include "nn/writable.hpp"
#include "text/replaced_file.hpp"

namespace packseq::nn::detail {
namespace {

/// Whether Python has a class of storages for this dtype.
bool has_storage_class(c10::ScalarType dtype) {
  switch (dtype) {
    case at::kDouble:
    case at::kFloat:
    case at::kHalf:
    case at::kBFloat16:
    case at::kLong:
    case at::kInt:
    case at::kShort:
    case at::kChar:
    case at::kByte:
    case at::kBool:
    case at::kComplexFloat:
    case at::kComplexDouble:
      return true;
    default:
      return false;
  }
}

/// The storages of the tensors that are written, each once. One that holds numbers of two dtypes is written for each:
/// Python would read both as the first.
class Storages {
 public:
  PickledTensor add(const at::Tensor& tensor) {
    const auto dtype = tensor.scalar_type();
    const c10::Storage& storage = tensor.storage();
    const auto [entry, added] = keys_.emplace(std::pair(storage.unsafeGetStorageImpl(), dtype), all_.size());
    if (added) all_.push_back(storage);
    PickledTensor pickled{.storage = {.key = std::to_string(entry->second)}};
    // Numbers are written whole: a storage may have bytes behind its last one.
    const auto width = static_cast<std::int64_t>(c10::elementSize(dtype));
    pickled.storage.bytes = static_cast<std::int64_t>(storage.nbytes()) / width * width;
    if (has_storage_class(dtype)) pickled.storage.dtype = dtype;
    sizes_.resize(all_.size(), pickled.storage.bytes);
    pickled.dtype = dtype;
    pickled.offset = tensor.storage_offset();
    pickled.sizes = tensor.sizes().vec();
    pickled.strides = tensor.strides().vec();
    return pickled;
  }

  void write(caffe2::serialize::PyTorchStreamWriter& writer) const {
    for (std::size_t i = 0; i < all_.size(); ++i) {
      const auto size = static_cast<std::size_t>(sizes_[i]);
      at::Tensor bytes = at::empty({0}, at::TensorOptions(at::kByte).device(all_[i].device()));
      bytes.set_(all_[i], 0, {sizes_[i]}, {1});
      bytes = bytes.cpu();
      writer.writeRecord("data/" + std::to_string(i), bytes.const_data_ptr(), size);
    }
  }

 private:
  std::map<std::pair<c10::StorageImpl*, c10::ScalarType>, std::size_t> keys_;
  std::vector<c10::Storage> all_;
  std::vector<std::int64_t> sizes_;
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
  for (const auto& entry : state) pickle.add(entry.key(), storages.add(writable(entry.key(), entry.value())));
  packseq::detail::ReplacedFile replaced(file);
  write_records(replaced, pickle.finish(), storages);
  replaced.commit();
}

}  // namespace packseq::nn::detail
