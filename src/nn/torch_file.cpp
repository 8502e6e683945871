#include "nn/torch_file.hpp"

#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>
#include <c10/util/safe_numerics.h>

#include <algorithm>
#include <bit>

#include "nn/refusal.hpp"

namespace packseq::nn::detail {
namespace {

static_assert(std::endian::native == std::endian::little, "files of weights are read where the lowest byte is first");

/// What is swapped as one in a number of this dtype.
std::size_t swapped_width(c10::ScalarType dtype) {
  return c10::elementSize(dtype) / (c10::isComplexType(dtype) ? 2 : 1);
}

void swap_bytes(char* bytes, std::size_t size, std::size_t width) {
  for (std::size_t i = 0; i + width <= size; i += width) std::reverse(bytes + i, bytes + i + width);
}

/// A tensor without numbers.
bool is_empty(const PickledTensor& tensor) {
  return std::find(tensor.sizes.begin(), tensor.sizes.end(), 0) != tensor.sizes.end();
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
  const auto width = static_cast<std::int64_t>(c10::elementSize(tensor.dtype));
  if (!is_empty(tensor) && last >= tensor.storage.bytes / width) outside();
}

}  // namespace

TorchFile::TorchFile(ZipFile& archive) : archive_(archive) {
  if (!archive_.has("byteorder")) return;
  const auto order = archive_.text("byteorder");
  if (order != "little" && order != "big") refuse("has the byte order ", order, ", and must have little or big");
  swapped_ = order == "big";
}

c10::Storage TorchFile::storage(const PickledTensor& pickled) {
  const std::string key(pickled.storage.key);
  const auto record = "data/" + key;
  const auto expected = pickled.storage.bytes;
  const auto size = archive_.size_of(record);
  if (static_cast<std::int64_t>(size) != expected) {
    refuse("is damaged: its record ", record, " has ", size, " bytes, and must have ", expected);
  }
  const auto width = swapped_ ? swapped_width(pickled.dtype) : 1;
  const auto found = storages_.find({key, width});
  if (found != storages_.end()) return found->second;
  const auto storage = [&] {
    try {
      return at::empty({expected}, at::kByte).storage();
    } catch (const c10::Error&) {
      refuse("needs ", expected, " bytes of memory for its record ", record, ", more than there is");
    }
  }();
  if (size > 0) archive_.read(record, static_cast<char*>(storage.mutable_data()));
  if (width > 1) swap_bytes(static_cast<char*>(storage.mutable_data()), size, width);
  storages_.emplace(std::pair(key, width), storage);
  return storage;
}

at::Tensor TorchFile::tensor(const PickledTensor& pickled) {
  check_bounds(pickled);
  const c10::Storage numbers = storage(pickled);
  try {
    at::Tensor tensor = at::empty({0}, pickled.dtype);
    // Without numbers a view of Python's may be anywhere: what LibTorch computes with that must not overflow.
    const auto offset = is_empty(pickled) ? 0 : pickled.offset;
    tensor.set_(numbers, offset, pickled.sizes, pickled.strides);
    tensor._set_conj(pickled.conjugate);
    tensor._set_neg(pickled.negative);
    return tensor;
  } catch (const c10::Error&) {
    refuse("has a tensor of dtype ", pickled.dtype, ", which LibTorch does not make of a storage");
  }
}

}  // namespace packseq::nn::detail
