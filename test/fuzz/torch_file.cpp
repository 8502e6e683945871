// Whatever a file of torch.save is, from its zip archive on: its weights are read, each number within the file, or an
// error names it.

#include <ATen/ops/arange.h>

#include <string>

#include "file.hpp"
#include "weights.hpp"

namespace packseq::fuzz {
namespace {

/// A file of two tensors in one storage and one in another.
std::string whole_file(const InputFile& file) {
  const at::Tensor numbers = at::arange(4, at::kFloat);
  nn::write_state_dict(file.path(), {{"a", numbers}, {"b", numbers.slice(0, 1)}, {"c", at::arange(3)}});
  return file.content();
}

/// Reads the file, and no more of it than there is.
void read(const InputFile& file, std::size_t size) {
  const auto state = read_or_refused(file, [&file] { return nn::read_state_dict(file.path()); });
  if (!state) return;
  for (const auto& entry : *state) {
    bits(entry.value());
    require(entry.value().storage().nbytes() <= size, "a storage is larger than the file");
  }
}

}  // namespace
}  // namespace packseq::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace packseq;
  static const fuzz::InputFile file;
  static const std::string whole = fuzz::whole_file(file);
  fuzz::Input input(data, size);
  const bool ours = input.flag();
  const auto bytes = ours ? fuzz::altered(whole, input) : std::string(input.rest());
  file.write(bytes);
  fuzz::read(file, bytes.size());
  return 0;
}
