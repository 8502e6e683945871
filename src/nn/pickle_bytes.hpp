#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "nn/refusal.hpp"
#include "text/little_endian.hpp"

namespace packseq::nn::detail {

/// The bytes of a pickle, from the front.
class PickleBytes {
 public:
  explicit PickleBytes(std::string_view bytes) : bytes_(bytes) {}

  std::size_t position() const { return position_; }

  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - position_) refuse("it ends within an instruction");
    const auto taken = bytes_.substr(position_, count);
    position_ += count;
    return taken;
  }

  /// A number of `size` bytes, the lowest first.
  std::uint64_t number(std::size_t size) { return packseq::detail::from_little_endian(take(size)); }

  /// What follows its length, a number of `size` bytes.
  std::string_view counted(std::size_t size) { return take(number(size)); }

  unsigned char byte() { return static_cast<unsigned char>(take(1).front()); }

  std::string_view line() {
    const auto end = bytes_.find('\n', position_);
    if (end == std::string_view::npos) refuse("it ends within a name");
    const auto line = take(end - position_);
    take(1);
    return line;
  }

 private:
  std::string_view bytes_;
  std::size_t position_ = 0;
};

}  // namespace packseq::nn::detail
