#pragma once

#include <cstddef>
#include <span>

#include "kernels/passes.hpp"

namespace packseq::kernels {

/// The functions of passes.hpp for a type of numbers, as they are compiled for a CPU target.
template <class T>
struct PassTable {
  std::size_t (*packed_size)(const Direction<T>&, Role);
  void (*pack)(const Direction<T>&, Role, Computed<T>*, std::size_t, const Executor&);
  void (*project)(const Forward<T>&, Computed<T>*, std::size_t, const Executor&);
  void (*forward)(std::span<const Forward<T>>, const Plan&, const Executor&);
  void (*backward)(std::span<const Backward<T>>, std::span<const Plan>, const Executor&);
};

}  // namespace packseq::kernels
