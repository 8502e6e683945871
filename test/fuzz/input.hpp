#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace packseq::fuzz {

/// The input of a fuzz target, read from its front.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size)
      : rest_(static_cast<const char*>(static_cast<const void*>(data)), size) {}

  /// The next byte; 0 at the end.
  unsigned byte() {
    if (rest_.empty()) return 0;
    const unsigned value = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }

  /// A number below `end`, which is 256 at most.
  template <class Number>
  Number below(Number end) {
    return static_cast<Number>(byte() % static_cast<unsigned>(end));
  }

  /// A place before `end`, among the first 65,536.
  std::size_t place(std::size_t end) {
    const std::size_t high = byte();
    return (high * 256 + byte()) % end;
  }

  bool flag() { return byte() % 2 == 1; }

  /// Any number, small and huge ones above all, since those are at the edges.
  std::int64_t number() {
    const auto shift = byte() % 72;
    const auto base = static_cast<std::int64_t>(byte()) - 8;
    return shift >= 64 ? base : static_cast<std::int64_t>(static_cast<std::uint64_t>(base) << shift);
  }

  /// Up to `most` numbers, each below 6 or any.
  std::vector<std::int64_t> numbers(unsigned most) {
    const bool small = flag();
    std::vector<std::int64_t> all(below(most + 1));
    for (auto& entry : all) entry = small ? below(6) : number();
    return all;
  }

  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

/// What we have written ourselves, with the changes that the input tells: bytes, each at its place.
inline std::string altered(std::string bytes, Input& input) {
  while (!input.rest().empty()) {
    const std::size_t at = input.place(bytes.size());
    bytes[at] = static_cast<char>(input.byte());
  }
  return bytes;
}

/// A finding: libFuzzer keeps the input.
[[noreturn]] inline void report(std::string_view what) {
  std::cerr << "finding: " << what << std::endl;
  std::abort();
}

inline void require(bool holds, std::string_view what) {
  if (!holds) report(what);
}

}  // namespace packseq::fuzz
