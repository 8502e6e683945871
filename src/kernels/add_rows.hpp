#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/executor.hpp"
#include "kernels/numbers.hpp"

namespace packseq::kernels {

/// Adds each row of `from`, [N, width], to the row of `to`, so wide, too, that `index` names. Whatever the number of
/// threads, sums are made in the order of `from`. T is float, double or BFloat16.
template <class T>
void add_rows(const T* from, std::size_t width, std::span<const std::int32_t> index, Computed<T>* to,
              std::size_t threads, const Executor& executor);

}  // namespace packseq::kernels
