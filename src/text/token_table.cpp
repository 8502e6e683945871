#include "text/token_table.hpp"

#include <cstring>

namespace packseq::detail {
namespace {

template <class Word>
std::uint64_t load(const char* bytes) noexcept {
  Word word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

/// The bytes of a token of up to eight, in some order: with its size they tell it from any other.
std::uint64_t short_word(std::string_view token) noexcept {
  const char* const bytes = token.data();
  const std::size_t size = token.size();
  if (size >= 4) return load<std::uint32_t>(bytes) | load<std::uint32_t>(bytes + size - 4) << 32;
  if (size == 0) return 0;
  return load<std::uint8_t>(bytes) | load<std::uint8_t>(bytes + size / 2) << 8 |
         load<std::uint8_t>(bytes + size - 1) << 16;
}

/// Multiplication spreads a bit to all higher ones, the shift takes them back to the low ones.
std::uint64_t mix(std::uint64_t bits) noexcept {
  bits *= 0x9E3779B97F4A7C15;  // 2^64 over the golden ratio
  return bits ^ bits >> 32;
}

bool equal(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (; a.size() > 8; a.remove_prefix(8), b.remove_prefix(8)) {
    if (load<std::uint64_t>(a.data()) != load<std::uint64_t>(b.data())) return false;
  }
  return short_word(a) == short_word(b);
}

}  // namespace

std::uint64_t TokenTable::hash(std::string_view token) noexcept {
  std::uint64_t hashed = token.size();
  for (; token.size() > 8; token.remove_prefix(8)) hashed = mix(hashed ^ load<std::uint64_t>(token.data()));
  return mix(mix(hashed ^ short_word(token)));
}

/// Where a token is, or where it would be put.
std::size_t TokenTable::slot_of(std::string_view token, std::uint64_t hashed) const noexcept {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = hashed & mask;; i = (i + 1) & mask) {
    const std::uint64_t slot = slots_[i];
    if (slot == 0) return i;
    if ((slot ^ hashed) >> number_bits == 0 && equal((*this)[number_in(slot)], token)) return i;
  }
}

std::size_t TokenTable::append(std::string_view token, std::uint64_t hashed) {
  if (2 * (size() + 1) > slots_.size()) grow();
  characters_.append(token);
  begins_.push_back(characters_.size());
  slots_[slot_of(token, hashed)] = hashed >> number_bits << number_bits | size();
  return size() - 1;
}

void TokenTable::grow() {
  slots_.assign(2 * slots_.size(), 0);
  for (std::size_t number = 0; number < size(); ++number) {
    const std::uint64_t hashed = hash((*this)[number]);
    slots_[slot_of((*this)[number], hashed)] = hashed >> number_bits << number_bits | (number + 1);
  }
}

}  // namespace packseq::detail
