#include "nn/pickle_writer.hpp"

#include <c10/util/StringUtil.h>

#include <limits>

#include "nn/refusal.hpp"
#include "nn/torch_dtypes.hpp"
#include "text/little_endian.hpp"

namespace packseq::nn::detail {

PickleWriter::PickleWriter() : bytes_("\x80\2}(") {}

void PickleWriter::add(std::string_view key, const PickledTensor& tensor) {
  text(key);
  // Dtypes that have no class of storages are named behind the storage of their bytes.
  name("torch._utils", tensor.storage.dtype ? "_rebuild_tensor_v2" : "_rebuild_tensor_v3");
  bytes_ += '(';
  storage(tensor.storage);
  integer(tensor.offset);
  integers(tensor.sizes);
  integers(tensor.strides);
  bytes_ += '\x89';  // requires no gradient
  name("collections", "OrderedDict");
  bytes_ += ")R";  // no hooks
  if (!tensor.storage.dtype) name("torch", torch_dtype(tensor.dtype)->name);
  bytes_ += "tR";
}

std::string PickleWriter::finish() {
  bytes_ += "u.";
  return std::move(bytes_);
}

void PickleWriter::text(std::string_view text) {
  if (text.size() > std::numeric_limits<std::uint32_t>::max()) refuse("cannot be written: a key is 4 GB long");
  bytes_ += 'X' + packseq::detail::to_little_endian(text.size(), 4);
  bytes_ += text;
}

void PickleWriter::integer(std::int64_t number) {
  if (number == static_cast<std::int32_t>(number)) {
    bytes_ += 'J' + packseq::detail::to_little_endian(static_cast<std::uint64_t>(number), 4);
  } else {
    bytes_ += "\x8a\x08" + packseq::detail::to_little_endian(static_cast<std::uint64_t>(number), 8);
  }
}

void PickleWriter::integers(const std::vector<std::int64_t>& numbers) {
  bytes_ += '(';
  for (const auto number : numbers) integer(number);
  bytes_ += 't';
}

void PickleWriter::name(std::string_view module, std::string_view name) {
  bytes_ += c10::str('c', module, '\n', name, '\n');
}

void PickleWriter::storage(const PickledStorage& storage) {
  bytes_ += '(';
  text("storage");
  if (storage.dtype) {
    name("torch", torch_dtype(*storage.dtype)->storage);
  } else {
    name("torch.storage", "UntypedStorage");
  }
  text(storage.key);
  text("cpu");
  const auto width = storage.dtype ? static_cast<std::int64_t>(c10::elementSize(*storage.dtype)) : 1;
  integer(storage.bytes / width);
  bytes_ += "tQ";
}

}  // namespace packseq::nn::detail
