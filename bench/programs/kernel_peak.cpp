#include "programs/kernel_peak.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "programs/kernel_peak.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After foreach_target.h, so that it is read once for each target.
#include "kernels/matmul-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {

/// A full tile times one panel, `times` over; the FLOPs of it.
double multiply_in_cache(std::size_t times) {
  constexpr std::size_t depth = 256;
  const std::size_t width = panel_width<float>();
  Arena arena;
  float* const numbers = arena.take<float>(depth * width + tile_rows * (depth + width));
  std::fill_n(numbers, depth * width + tile_rows * (depth + width), 1e-3F);
  const PackedMatrix<float> weights = {numbers, depth, width};
  const float* a[tile_rows];
  float* c[tile_rows];
  for (std::size_t row = 0; row < tile_rows; ++row) {
    a[row] = numbers + depth * width + row * depth;
    c[row] = numbers + (depth * width + tile_rows * depth) + row * width;
  }
  for (std::size_t i = 0; i < times; ++i) multiply<float>(a, tile_rows, weights, {0, 1}, c, c);
  return 2.0 * static_cast<double>(times * tile_rows * depth * width);
}

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <benchmark/benchmark.h>

namespace packseq::kernels {
namespace {

HWY_EXPORT(multiply_in_cache);

void measure(benchmark::State& state) {
  double flops = 0;
  for (auto _ : state) flops += HWY_DYNAMIC_DISPATCH(multiply_in_cache)(1000);
  state.counters["useful_flops_per_second"] = benchmark::Counter(flops, benchmark::Counter::kIsRate);
}

}  // namespace
}  // namespace packseq::kernels

void packseq::bench::register_kernel_peak() {
  benchmark::RegisterBenchmark("peak", kernels::measure)->UseRealTime()->Unit(benchmark::kMillisecond);
}
#endif
