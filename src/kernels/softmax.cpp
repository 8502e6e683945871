#include "kernels/softmax.hpp"

#include <hwy/cache_control.h>

#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/softmax.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After foreach_target.h, so that they are read once for each target.
#include "kernels/columns-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {

/// e^-x for x >= 0, or 0 where it is subnormal; 0 for infinity, NaN for NaN.
HWY_INLINE Vector<float> exp_down(Vector<float> x) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  return exp_of_negative(x);
#else
  return hn::IfThenZeroElse(hn::Gt(x, hn::Set(Tag<float>(), 87.0F)), exp_of_negative(x));  // which goes on at e^-87
#endif
}
HWY_INLINE Vector<double> exp_down(Vector<double> x) {
  const Tag<double> d;
  return with_nan_of(x, hn::Exp(d, hn::Max(hn::Neg(x), hn::Set(d, -750.0))));  // Exp turns no NaN into an integer
}

/// Calls `body(block)` for each block of the thread's part: a run of the higher columns and one of the lower, so that
/// all threads have as much to do. Blocks side by side are one thread's: others would write what its core reads ahead.
template <class T, class Body>
HWY_INLINE void for_blocks(const Columns& columns, const Part& part, Body body) {
  const std::size_t blocks = hwy::DivCeil(columns.widths.front(), Block<T>::width());
  for (const std::size_t run : {part.number, 2 * part.of - 1 - part.number}) {
    const std::size_t end = blocks * (run + 1) / (2 * part.of);
    for (std::size_t i = blocks * run / (2 * part.of); i < end; ++i) body(Block<T>(columns, i * Block<T>::width()));
  }
}

template <class T>
HWY_INLINE void run_softmax(const Columns& columns, const T* input, T* output, const Part& part) {
  using Row = typename Block<T>::Row;
  for_blocks<T>(columns, part, [=](const Block<T>& block) {
    Row largest(-std::numeric_limits<T>::infinity());
    Row sums(0);
    block.down(sums, largest, [=](auto access, std::size_t at, auto, auto& maximum) {
      hwy::Prefetch(output + at);  // which memory keeps waiting, also what is to be overwritten
      maximum = hn::Max(maximum, access.load(input + at));
    });
    block.down(largest, sums, [=](auto access, std::size_t at, auto maximum, auto& sum) {
      const auto power = exp_down(hn::Sub(maximum, access.load(input + at)));
      sum = hn::Add(sum, power);
      access.store(power, output + at);
    });
    Row& factors = sums;
    for_units<T>({0, Block<T>::width()}, [&](auto access, std::size_t i) {
      access.store(hn::Div(hn::Set(Tag<T>(), T{1}), access.load(sums.numbers + i)), factors.numbers + i);
    });
    block.down(factors, largest, [=](auto access, std::size_t at, auto factor, auto&) {
      hwy::Prefetch(input + at + Block<T>::width());  // in time for the next block
      access.store(hn::Mul(factor, access.load(output + at)), output + at);
    });
  });
}

template <class T>
HWY_INLINE void run_gradient(const Columns& columns, const T* output, const T* gradient, T* input_gradient,
                             const Part& part) {
  using Row = typename Block<T>::Row;
  for_blocks<T>(columns, part, [=](const Block<T>& block) {
    Row none(0);
    Row sums(0);
    block.down(none, sums, [=](auto access, std::size_t at, auto, auto& sum) {
      hwy::Prefetch(input_gradient + at);
      sum = hn::MulAdd(access.load(output + at), access.load(gradient + at), sum);
    });
    block.down(sums, none, [=](auto access, std::size_t at, auto sum, auto&) {
      const auto difference = hn::Sub(access.load(gradient + at), sum);
      access.store(hn::Mul(access.load(output + at), difference), input_gradient + at);
    });
  });
}

void softmax_float(const Columns& columns, const float* input, float* output, const Part& part) {
  run_softmax(columns, input, output, part);
}
void softmax_double(const Columns& columns, const double* input, double* output, const Part& part) {
  run_softmax(columns, input, output, part);
}
void gradient_float(const Columns& columns, const float* output, const float* gradient, float* input_gradient,
                    const Part& part) {
  run_gradient(columns, output, gradient, input_gradient, part);
}
void gradient_double(const Columns& columns, const double* output, const double* gradient, double* input_gradient,
                     const Part& part) {
  run_gradient(columns, output, gradient, input_gradient, part);
}

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace packseq::kernels {

HWY_EXPORT(softmax_float);
HWY_EXPORT(softmax_double);
HWY_EXPORT(gradient_float);
HWY_EXPORT(gradient_double);

Columns make_columns(std::span<const std::int64_t> batch_sizes, std::size_t elements) {
  Columns columns;
  std::size_t begin = 0;
  for (const std::int64_t size : batch_sizes) {
    columns.widths.push_back(static_cast<std::size_t>(size) * elements);
    columns.begins.push_back(begin);
    begin += columns.widths.back();
  }
  return columns;
}

void softmax(const Columns& columns, const float* input, float* output, const Part& part) {
  HWY_DYNAMIC_DISPATCH(softmax_float)(columns, input, output, part);
}
void softmax(const Columns& columns, const double* input, double* output, const Part& part) {
  HWY_DYNAMIC_DISPATCH(softmax_double)(columns, input, output, part);
}
void softmax_gradient(const Columns& columns, const float* output, const float* gradient, float* input_gradient,
                      const Part& part) {
  HWY_DYNAMIC_DISPATCH(gradient_float)(columns, output, gradient, input_gradient, part);
}
void softmax_gradient(const Columns& columns, const double* output, const double* gradient, double* input_gradient,
                      const Part& part) {
  HWY_DYNAMIC_DISPATCH(gradient_double)(columns, output, gradient, input_gradient, part);
}

}  // namespace packseq::kernels
#endif
