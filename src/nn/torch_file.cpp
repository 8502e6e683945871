#include "nn/torch_file.hpp"

#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>
#include <c10/util/safe_numerics.h>

#include <algorithm>
#include <bit>
#include <exception>
#include <fstream>
#include <new>
#include <string_view>

#include "nn/refusal.hpp"

namespace packseq::nn::detail {
namespace {

static_assert(std::endian::native == std::endian::little, "files of weights are read where the lowest byte is first");

/// Does what calls LibTorch's reader; its own words are for LibTorch's developers.
template <class Action>
auto reading(std::string_view what, const Action& action) {
  try {
    return action();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception&) {  // c10::Error, and what it does not catch of the standard library's
    refuse("is a damaged zip archive, or none of torch.save: ", what, " cannot be read. Copy or download it again");
  }
}

/// The last bytes of an archive are its table of contents: what is cut lacks it.
void check_end(const std::filesystem::path& file, std::uint64_t size) {
  constexpr std::uint64_t longest_end = 22 + 0xFFFF;
  std::string end(std::min(size, longest_end), '\0');
  std::ifstream stream(file, std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(size - end.size()));
  stream.read(end.data(), static_cast<std::streamsize>(end.size()));
  if (!stream) refuse("cannot be read");
  if (end.find("PK\5\6") == std::string::npos) {
    refuse("is a zip archive that is cut short: it has ", size,
           " bytes, and its end is missing. Copy or download it "
           "again");
  }
}

/// What is swapped as one in a number of this dtype.
std::size_t swapped_width(c10::ScalarType dtype) {
  return c10::elementSize(dtype) / (c10::isComplexType(dtype) ? 2 : 1);
}

void swap_bytes(char* bytes, std::size_t size, std::size_t width) {
  for (std::size_t i = 0; i + width <= size; i += width) std::reverse(bytes + i, bytes + i + width);
}

/// Refuses a tensor that is not within its storage.
void check_bounds(const PickledTensor& tensor) {
  const auto outside = [&tensor] {
    refuse("is damaged: a tensor of sizes ", c10::IntArrayRef(tensor.sizes), ", strides ",
           c10::IntArrayRef(tensor.strides), " and offset ", tensor.offset, " is not within the ", tensor.storage.bytes,
           " bytes of its storage ", tensor.storage.key);
  };
  if (tensor.sizes.size() != tensor.strides.size() || tensor.offset < 0) outside();
  std::int64_t count = 1;
  std::int64_t last = tensor.offset;
  for (std::size_t i = 0; i < tensor.sizes.size(); ++i) {
    const auto size = tensor.sizes[i];
    std::int64_t step = 0;
    if (size < 0 || tensor.strides[i] < 0) outside();
    // A dimension of none is counted as one, so that the rest of an empty tensor is checked as well.
    const auto steps = std::max<std::int64_t>(size, 1);
    if (c10::mul_overflows(count, steps, &count) || c10::mul_overflows(steps - 1, tensor.strides[i], &step) ||
        c10::add_overflows(last, step, &last)) {
      outside();
    }
  }
  const bool empty = std::find(tensor.sizes.begin(), tensor.sizes.end(), 0) != tensor.sizes.end();
  const auto width = static_cast<std::int64_t>(c10::elementSize(tensor.dtype));
  if (!empty && last >= tensor.storage.bytes / width) outside();
}

}  // namespace

TorchFile::TorchFile(const std::filesystem::path& file) : file_size_(std::filesystem::file_size(file)) {
  check_end(file, file_size_);
  reading("its list of records", [&] { reader_.emplace(file.string()); });
  if (!has("byteorder")) return;
  const auto order = text("byteorder");
  if (order != "little" && order != "big") refuse("has the byte order ", order, ", and must have little or big");
  swapped_ = order == "big";
}

bool TorchFile::has(const std::string& record) {
  return reading("its list of records", [&] { return reader_->hasRecord(record); });
}

std::string TorchFile::text(const std::string& record) {
  std::string text(size_of(record), '\0');
  read(record, text.data(), text.size());
  return text;
}

std::size_t TorchFile::size_of(const std::string& record) {
  const auto size = reading("record " + record, [&] { return reader_->getRecordSize(record); });
  constexpr std::uint64_t most = 1032;  // of the bytes that deflate makes of one
  if (size / most > file_size_) refuse("is damaged: its record ", record, " claims to have ", size, " bytes");
  return size;
}

void TorchFile::read(const std::string& record, void* to, std::size_t size) {
  reading("record " + record, [&] { reader_->getRecord(record, to, size); });
}

c10::Storage TorchFile::storage(const PickledTensor& pickled) {
  const auto width = swapped_ ? swapped_width(pickled.dtype) : 1;
  const auto found = storages_.find({pickled.storage.key, width});
  const auto expected = pickled.storage.bytes;
  if (found != storages_.end() && static_cast<std::int64_t>(found->second.nbytes()) == expected) return found->second;
  const auto record = "data/" + pickled.storage.key;
  const auto size = size_of(record);
  if (static_cast<std::int64_t>(size) != expected) {
    refuse("is damaged: its record ", record, " has ", size, " bytes, and must have ", expected);
  }
  const auto storage = [&] {
    try {
      return at::empty({expected}, at::kByte).storage();
    } catch (const c10::Error&) {
      refuse("needs ", expected, " bytes of memory for its record ", record, ", more than there is");
    }
  }();
  if (size > 0) read(record, storage.mutable_data(), size);
  if (width > 1) swap_bytes(static_cast<char*>(storage.mutable_data()), size, width);
  storages_.insert_or_assign({pickled.storage.key, width}, storage);
  return storage;
}

at::Tensor TorchFile::tensor(const PickledTensor& pickled) {
  check_bounds(pickled);
  const c10::Storage numbers = storage(pickled);
  try {
    at::Tensor tensor = at::empty({0}, pickled.dtype);
    tensor.set_(numbers, pickled.offset, pickled.sizes, pickled.strides);
    tensor._set_conj(pickled.conjugate);
    tensor._set_neg(pickled.negative);
    return tensor;
  } catch (const c10::Error&) {
    refuse("has a tensor of dtype ", pickled.dtype, ", which LibTorch does not make of a storage");
  }
}

}  // namespace packseq::nn::detail
