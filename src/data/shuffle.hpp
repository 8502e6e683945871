#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace packseq::data::detail {

/// The random numbers of an epoch, the same on every platform: what the standard says of `std::mt19937_64` leaves
/// nothing open, unlike what it says of `std::shuffle` and its distributions.
class EpochRandom {
 public:
  EpochRandom(std::uint64_t seed, std::int64_t epoch)
      : engine_(mixed(mixed(seed) + static_cast<std::uint64_t>(epoch))) {}

  /// One of 0 ... bound - 1, each with the same probability; `bound` is at least 1.
  std::size_t below(std::size_t bound) {
    // The engine's 2^64 numbers are runs of `bound`; the last run may be cut short, and would favour small remainders.
    const std::uint64_t last_whole_run = std::uint64_t{0} - bound;
    while (true) {
      const std::uint64_t drawn = engine_();
      const std::uint64_t remainder = drawn % bound;
      if (drawn - remainder <= last_whole_run) return remainder;
    }
  }

  /// Puts items in random order (R. Durstenfeld, Algorithm 235, 1964, after Fisher and Yates).
  template <class Item>
  void shuffle(std::vector<Item>& items) {
    for (std::size_t left = items.size(); left > 1; --left) std::swap(items[left - 1], items[below(left)]);
  }

 private:
  std::mt19937_64 engine_;

  /// A step of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): seeds and
  /// epochs are small numbers next to each other, and give engines that have nothing in common.
  static std::uint64_t mixed(std::uint64_t bits) {
    bits += 0x9E3779B97F4A7C15;
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9;
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EB;
    return bits ^ bits >> 31;
  }
};

}  // namespace packseq::data::detail
