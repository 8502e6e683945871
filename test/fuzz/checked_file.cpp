// Any bytes are refused as a checkpoint's file, in words that name it; any payload comes back; no altered file is read.

#include "data/checked_file.hpp"

#include <algorithm>

#include "file.hpp"

namespace packseq::fuzz {
namespace {

using data::detail::read_checked_file;
using data::detail::write_checked_file;

bool is_read(const InputFile& file) {
  return succeeds(file.path(), [&] { read_checked_file(file.path()); });
}

/// What a disk or a copy may do to a file: cut it, lengthen it, alter up to eight bytes in a row.
std::string damaged(std::string whole, Input& input) {
  const std::size_t at = input.place(whole.size());
  const auto kind = input.below(3);
  if (kind == 0) return whole.substr(0, at);
  if (kind == 1) return whole.insert(at, 1 + input.place(8), static_cast<char>(input.byte()));
  const std::size_t end = std::min(whole.size(), at + 1 + input.place(8));
  for (std::size_t i = at; i < end; ++i) whole[i] = static_cast<char>(whole[i] ^ static_cast<char>(input.byte()));
  return whole;
}

}  // namespace
}  // namespace packseq::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace packseq;
  static const fuzz::InputFile file;
  fuzz::Input input(data, size);
  if (input.flag()) {
    file.write(input.rest());
    fuzz::is_read(file);
    return 0;
  }
  auto change = input;  // one and the same input says what is written, and what becomes of it
  const std::string payload(input.rest());
  data::detail::write_checked_file(file.path(), payload);
  fuzz::require(data::detail::read_checked_file(file.path()) == payload, "another payload is read than was written");
  const std::string whole = file.content();
  const std::string other = fuzz::damaged(whole, change);
  file.write(other);
  fuzz::require(fuzz::is_read(file) == (other == whole), "an altered file is read");
  return 0;
}
