#pragma once

#include <gtest/gtest.h>

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

// What holds for every batch is tried on many random ones.

namespace packseq::test {

/// How many: so many, or what the environment variable PACKSEQ_BATCHES says.
inline std::int64_t number_of_batches(std::int64_t by_default) {
  const char* const wanted = std::getenv("PACKSEQ_BATCHES");
  if (wanted == nullptr) return by_default;
  std::int64_t number = 0;
  const std::string_view text(wanted);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1) {
    throw std::runtime_error("PACKSEQ_BATCHES=" + std::string(text) + " is no number of batches");
  }
  return number;
}

/// Random choices of a batch. Each has its number as its seed, so that the one that fails can be made again by itself.
class Choices {
 public:
  explicit Choices(std::int64_t seed) : random_(static_cast<std::uint32_t>(seed)) {}

  /// A number in first ... last.
  std::int64_t between(std::int64_t first, std::int64_t last) {
    return first + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(last - first + 1));
  }

  /// Once in `of` times.
  bool once_in(std::int64_t of) { return between(1, of) == 1; }

  /// One of them.
  template <class List>
  auto one_of(const List& list) {
    return list[static_cast<std::size_t>(between(0, static_cast<std::int64_t>(list.size()) - 1))];
  }

 private:
  std::mt19937 random_;
};

/// Does `check(number)` for each batch, until one fails.
template <class Check>
void for_many_batches(std::int64_t by_default, const Check& check) {
  for (std::int64_t number = 0, end = number_of_batches(by_default); number < end; ++number) {
    SCOPED_TRACE("batch " + std::to_string(number));
    try {
      check(number);
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace packseq::test
