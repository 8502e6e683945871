#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace packseq::detail {

/// Different tokens, numbered 0, 1, 2, ... as they come in: one string that holds them end to end, and a flat hash
/// table of their numbers. Many threads may read it at once.
class TokenTable {
 public:
  std::size_t size() const noexcept { return begins_.size() - 1; }

  /// The token with this number, which must be less than size(). A view is valid until the next insert.
  std::string_view operator[](std::size_t number) const noexcept {
    return {characters_.data() + begins_[number], begins_[number + 1] - begins_[number]};
  }

  /// The number of a token, if it is there.
  std::optional<std::size_t> find(std::string_view token) const noexcept {
    const std::uint64_t slot = slots_[slot_of(token, hash(token))];
    if (slot == 0) return std::nullopt;
    return number_in(slot);
  }

  /// The number of a token, which is put at the end if it is not there yet.
  std::size_t insert(std::string_view token) {
    const std::uint64_t hashed = hash(token);
    const std::uint64_t slot = slots_[slot_of(token, hashed)];
    return slot == 0 ? append(token, hashed) : number_in(slot);
  }

 private:
  // A slot is 0 where it is free; else it is the high bits of the token's hash, which rule most other tokens out
  // without a look at them, and below them the token's number + 1. No memory holds a trillion tokens.
  static constexpr int number_bits = 40;

  std::string characters_;
  std::vector<std::size_t> begins_ = {0};                                 // of each token in characters_, and their end
  std::vector<std::uint64_t> slots_ = std::vector<std::uint64_t>(16, 0);  // a power of two, at most half of them used

  static std::size_t number_in(std::uint64_t slot) noexcept {
    return (slot & ((std::uint64_t{1} << number_bits) - 1)) - 1;
  }

  static std::uint64_t hash(std::string_view token) noexcept;
  std::size_t slot_of(std::string_view token, std::uint64_t hashed) const noexcept;
  std::size_t append(std::string_view token, std::uint64_t hashed);
  void grow();
};

}  // namespace packseq::detail
