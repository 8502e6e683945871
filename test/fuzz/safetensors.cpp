// Whatever a safetensors file is: its tensors are read, and are the same once written and read again, or an error names
// the file.

#include "packseq/nn/safetensors.hpp"

#include <ATen/ops/equal.h>

#include <string>

#include "file.hpp"
#include "weights.hpp"

namespace packseq::fuzz {
namespace {

/// A file with this header, its length right, and so many bytes behind it.
std::string file_of(std::string_view header, std::size_t size) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(header.size() >> (8 * i) & 0xFF);
  return bytes.append(header).append(size, '\1');
}

void require_same(const nn::Safetensors& read, const nn::Safetensors& again) {
  require(again.state.size() == read.state.size(), "other tensors are read than were written");
  for (const auto& [name, text] : read.metadata) require(again.metadata.at(name) == text, "a text is another");
  for (const auto& entry : read.state) {
    const at::Tensor& other = again.state[entry.key()];
    require(other.scalar_type() == entry.value().scalar_type() && other.sizes() == entry.value().sizes(),
            "a tensor comes back as another");
    const auto numbers = bits(entry.value());
    require(!numbers || at::equal(*numbers, *bits(other)), "a tensor comes back with other numbers");
  }
}

}  // namespace
}  // namespace packseq::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace packseq;
  static const fuzz::InputFile file;
  fuzz::Input input(data, size);
  const std::size_t behind = input.byte();
  // The last length stands for none: the whole file is made up.
  file.write(behind == 255 ? std::string(input.rest()) : fuzz::file_of(input.rest(), behind));
  const auto read = fuzz::read_or_refused(file, [] { return nn::read_safetensors(file.path()); });
  if (!read) return 0;
  const auto written = fuzz::read_or_refused(file, [&read] {
    nn::write_safetensors(file.path(), read->state, read->metadata);
    return true;
  });
  // A name may hold NUL, which is refused; or the metadata may note a tie that is none.
  if (written) fuzz::require_same(*read, nn::read_safetensors(file.path()));
  return 0;
}
