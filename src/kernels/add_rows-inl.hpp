// Sums of the rows that have a number in common. Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_ADD_ROWS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_ADD_ROWS_INL
#undef PACKSEQ_KERNELS_ADD_ROWS_INL
#else
#define PACKSEQ_KERNELS_ADD_ROWS_INL
#endif

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/vector_math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {

/// Adds some columns of each row of `from` to those of the row of `to` that `index` names, one row after the other.
template <class T>
void add_columns_of_rows(const T* from, std::size_t from_stride, std::span<const std::int32_t> index,
                         std::span<const Range> columns, Computed<T>* to, std::size_t to_stride) {
  for (std::size_t i = 0; i < index.size(); ++i) {
    const T* const row = from + i * from_stride;
    Computed<T>* const sums = to + static_cast<std::size_t>(index[i]) * to_stride;
    for (const Range& range : columns) {
      for_units<T>(range, [&](auto access, std::size_t column) {
        access.store(hn::Add(access.load(sums + column), access.load(row + column)), sums + column);
      });
    }
  }
}

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
