#pragma once

#include <ATen/Parallel.h>

#include <cstddef>
#include <cstdint>

#include "engine/tensor_numbers.hpp"
#include "kernels/executor.hpp"

namespace packseq::engine {

/// How many threads there are to run a pass here.
inline std::size_t threads() { return at::in_parallel_region() ? 1 : size(at::get_num_threads()); }

/// Runs a pass's work on LibTorch's threads.
inline void parallel(std::size_t parts, const kernels::Work& work) {
  if (parts == 1) return work(0, 1);
  at::parallel_for(0, static_cast<std::int64_t>(parts), 1,
                   [&](std::int64_t begin, std::int64_t end) { work(size(begin), size(end)); });
}

}  // namespace packseq::engine
