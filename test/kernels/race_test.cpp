#include <gtest/gtest.h>

#include <vector>

#include "kernels/two_directions.hpp"

// Many threads compute the same numbers as one, without races that a sanitizer of threads could see.

namespace packseq::kernels {
namespace {

/// Everything that the passes leave.
std::vector<std::vector<float>> run_on(std::size_t threads, const Case& of) {
  TwoDirections<float> layer(of);
  layer.run_on(threads);
  std::vector<std::vector<float>> results;
  for (const std::size_t d : {0U, 1U}) {
    const auto& m = layer[d];
    for (const auto* part : {&m.output, &m.h_n, &m.c_n, &m.d_h, &m.d_c, &m.d_input, &m.d_weight_ih, &m.d_weight_hh,
                             &m.d_bias_ih, &m.d_bias_hh, &m.d_weight_hr}) {
      results.push_back(*part);
    }
  }
  return results;
}

TEST(Race, IsNoneBetweenThreads) {
  for (const Case& of : all_cases()) {
    const auto expected = run_on(1, of);
    for (const std::size_t threads : {2U, 4U, 8U}) EXPECT_EQ(run_on(threads, of), expected) << of;
  }
}

}  // namespace
}  // namespace packseq::kernels
