#include "cli/histogram.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/terminal.hpp"

namespace packseq::cli {
namespace {

constexpr std::int64_t most_ranges = 10;

/// The smallest of 1, 2, 5, 10, 20, 50 ... with which the ranges are few.
std::int64_t range_size(std::int64_t longest) {
  std::int64_t power = 1;
  while (true) {
    for (const std::int64_t digit : {1, 2, 5}) {
      if (digit * power * most_ranges >= longest) return digit * power;
    }
    power *= 10;
  }
}

/// A bar of eighths of a column; what is there at all is seen.
std::string bar(std::int64_t count, std::int64_t largest, std::size_t columns) {
  static constexpr std::array eighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  if (count == 0) return {};
  const double part = static_cast<double>(count) / static_cast<double>(largest);
  const auto length = std::max<std::size_t>(1, static_cast<std::size_t>(part * static_cast<double>(8 * columns)));
  return repeated("█", length / 8) + eighths[length % 8];
}

}  // namespace

std::vector<std::string> histogram(const Lengths& lengths, std::size_t columns) {
  const std::int64_t size = range_size(lengths.longest());
  std::vector<std::int64_t> counts(static_cast<std::size_t>((lengths.longest() - 1) / size + 1));
  for (const auto& [length, count] : lengths.counts()) counts[static_cast<std::size_t>((length - 1) / size)] += count;
  const std::int64_t largest = *std::max_element(counts.begin(), counts.end());

  std::vector<std::string> ranges;
  for (std::size_t index = 0; index < counts.size(); ++index) {
    const std::int64_t first = static_cast<std::int64_t>(index) * size + 1;
    ranges.push_back(size == 1 ? grouped(first) : fmt::format("{}-{}", grouped(first), grouped(first + size - 1)));
  }
  const std::size_t range_columns = ranges.back().size();
  const std::size_t bar_columns = columns - range_columns - 2 - grouped(largest).size();
  for (std::size_t index = 0; index < counts.size(); ++index) {
    ranges[index] = fmt::format("{} {} {}", right(ranges[index], range_columns),
                                bar(counts[index], largest, bar_columns), grouped(counts[index]));
  }
  return ranges;
}

}  // namespace packseq::cli
