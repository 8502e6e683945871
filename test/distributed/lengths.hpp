#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace packseq::test {

/// Lengths as texts have them: most documents short, a few very long.
inline std::vector<std::int64_t> log_normal_lengths(std::size_t documents) {
  std::mt19937 random(1);
  std::normal_distribution<double> normal(std::log(39.), 0.9);
  std::vector<std::int64_t> lengths(documents);
  for (auto& length : lengths) length = 1 + static_cast<std::int64_t>(std::exp(normal(random)));
  return lengths;
}

}  // namespace packseq::test
