#include "kernels/add_rows.hpp"

#include <algorithm>
#include <type_traits>

#include "kernels/team.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/add_rows.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After foreach_target.h, so that they are read once for each target.
#include "kernels/add_rows-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {

using Index = std::span<const std::int32_t>;

void add_float(const float* from, std::size_t width, Index index, const Range& columns, float* to) {
  add_columns_of_rows(from, width, index, {&columns, 1}, to, width);
}
void add_double(const double* from, std::size_t width, Index index, const Range& columns, double* to) {
  add_columns_of_rows(from, width, index, {&columns, 1}, to, width);
}
void add_bfloat16(const BFloat16* from, std::size_t width, Index index, const Range& columns, float* to) {
  add_columns_of_rows(from, width, index, {&columns, 1}, to, width);
}

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace packseq::kernels {

HWY_EXPORT(add_float);
HWY_EXPORT(add_double);
HWY_EXPORT(add_bfloat16);

namespace {

// Fewer would not be worth a thread, or share what a core writes at a time with another's.
constexpr std::size_t numbers_worth_a_thread = 32768;
constexpr std::size_t columns_worth_a_thread = 32;

/// For this CPU.
template <class T>
auto add_columns() {
  if constexpr (is_narrow<T>) {
    return HWY_DYNAMIC_DISPATCH(add_bfloat16);
  } else if constexpr (std::is_same_v<T, float>) {
    return HWY_DYNAMIC_DISPATCH(add_float);
  } else {
    return HWY_DYNAMIC_DISPATCH(add_double);
  }
}

}  // namespace

template <class T>
void add_rows(const T* from, std::size_t width, std::span<const std::int32_t> index, Computed<T>* to,
              std::size_t threads, const Executor& executor) {
  const std::size_t worth = std::min(index.size() * width / numbers_worth_a_thread, width / columns_worth_a_thread);
  const std::size_t parts = std::clamp<std::size_t>(worth, 1, threads);
  executor(parts, [&](std::size_t begin, std::size_t end) {
    add_columns<T>()(from, width, index, Worker({begin, end}, parts).part_of(width), to);
  });
}

template void add_rows(const float*, std::size_t, std::span<const std::int32_t>, float*, std::size_t, const Executor&);
template void add_rows(const double*, std::size_t, std::span<const std::int32_t>, double*, std::size_t,
                       const Executor&);
template void add_rows(const BFloat16*, std::size_t, std::span<const std::int32_t>, float*, std::size_t,
                       const Executor&);

}  // namespace packseq::kernels
#endif
