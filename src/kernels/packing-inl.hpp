// Matrices in the order in which the micro-kernel reads them. Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_PACKING_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_PACKING_INL
#undef PACKSEQ_KERNELS_PACKING_INL
#else
#define PACKSEQ_KERNELS_PACKING_INL
#endif

#include <algorithm>
#include <cstddef>
#include <new>
#include <utility>
#include <vector>

#include "hwy/aligned_allocator.h"
#include "hwy/highway.h"
#include "kernels/executor.hpp"
#include "kernels/plan.hpp"
#include "kernels/team.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
using Buffer = hwy::AlignedFreeUniquePtr<T[]>;

/// Uninitialised memory.
template <class T>
Buffer<T> make_buffer(std::size_t size) {
  auto buffer = hwy::AllocateAligned<T>(std::max<std::size_t>(size, 1));
  if (buffer == nullptr) throw std::bad_alloc();
  return buffer;
}

/// Vectors of a panel. With the rows of a tile they fill the registers: 6 * 2 of 16, 6 * 4 of 32.
#if (HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3) || HWY_ARCH_ARM_A64  // better targets have lower numbers
constexpr std::size_t panel_vectors = 4;
#else
constexpr std::size_t panel_vectors = 2;
#endif

/// Columns of a panel.
template <class T>
HWY_INLINE std::size_t panel_width() {
  return panel_vectors * hn::Lanes(hn::ScalableTag<T>());
}
template <class T>
constexpr std::size_t max_panel_width = panel_vectors* hn::MaxLanes(hn::ScalableTag<T>());

/// A matrix [depth, columns] in panels: panel p holds columns p * width ... of all rows, row after row, and zeros
/// beyond the last column.
template <class T>
struct PackedMatrix {
  const T* data = nullptr;
  std::size_t depth = 0;
  std::size_t columns = 0;

  std::size_t panels() const { return (columns + panel_width<T>() - 1) / panel_width<T>(); }
  std::size_t size() const { return panels() * panel_width<T>() * depth; }
  const T* panel(std::size_t p) const { return data + p * panel_width<T>() * depth; }
};

/// The addresses of `count` lines, `stride` apart: line i is number (i + rotation) % count in memory.
template <class T>
std::vector<const T*> line_addresses(const T* data, std::size_t count, std::size_t stride, std::size_t rotation = 0) {
  std::vector<const T*> lines(count);
  for (std::size_t i = 0; i < count; ++i) lines[i] = data + (i + rotation) % count * stride;
  return lines;
}

#if HWY_TARGET == HWY_SCALAR
template <class T>
void transpose(const T* from, std::size_t /*stride*/, std::size_t depth, T* to, std::size_t to_stride) {
  for (std::size_t k = 0; k < depth; ++k) to[k * to_stride] = from[k];
}
#else
/// Block b of the result, of 128 bits, are the elements at from + b * lanes_of_a_block * stride.
template <class D, class T = hn::TFromD<D> >
HWY_INLINE hn::Vec<D> load_blocks(D d, const T* from, std::size_t stride) {
  if constexpr (hn::MaxLanes(D()) * sizeof(T) <= 16) {
    return hn::LoadU(d, from);
  } else {
    const hn::Half<D> half;
    return hn::Combine(d, load_blocks(half, from + hn::Lanes(half) * stride, stride), load_blocks(half, from, stride));
  }
}

/// Some columns, as many as a vector has lanes and `stride` apart, become vectors `to_stride` apart.
///
/// Within each block of 128 bits, four columns times four elements (two times two of double) change places.
inline void transpose(const float* from, std::size_t stride, std::size_t depth, float* to, std::size_t to_stride) {
  const hn::ScalableTag<float> d;
  const hn::RepartitionToWide<decltype(d)> wide;
  std::size_t k = 0;
  for (; k + 4 <= depth; k += 4) {
    const auto a = load_blocks(d, from + k, stride);
    const auto b = load_blocks(d, from + k + stride, stride);
    const auto c = load_blocks(d, from + k + 2 * stride, stride);
    const auto e = load_blocks(d, from + k + 3 * stride, stride);
    const auto ab_low = hn::BitCast(wide, hn::InterleaveLower(d, a, b));
    const auto ab_high = hn::BitCast(wide, hn::InterleaveUpper(d, a, b));
    const auto ce_low = hn::BitCast(wide, hn::InterleaveLower(d, c, e));
    const auto ce_high = hn::BitCast(wide, hn::InterleaveUpper(d, c, e));
    hn::StoreU(hn::BitCast(d, hn::InterleaveLower(wide, ab_low, ce_low)), d, to + k * to_stride);
    hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(wide, ab_low, ce_low)), d, to + (k + 1) * to_stride);
    hn::StoreU(hn::BitCast(d, hn::InterleaveLower(wide, ab_high, ce_high)), d, to + (k + 2) * to_stride);
    hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(wide, ab_high, ce_high)), d, to + (k + 3) * to_stride);
  }
  for (; k < depth; ++k) {
    for (std::size_t n = 0; n < hn::Lanes(d); ++n) to[k * to_stride + n] = from[n * stride + k];
  }
}

inline void transpose(const double* from, std::size_t stride, std::size_t depth, double* to, std::size_t to_stride) {
  const hn::ScalableTag<double> d;
  std::size_t k = 0;
  for (; k + 2 <= depth; k += 2) {
    const auto a = load_blocks(d, from + k, stride);
    const auto b = load_blocks(d, from + k + stride, stride);
    hn::StoreU(hn::InterleaveLower(d, a, b), d, to + k * to_stride);
    hn::StoreU(hn::InterleaveUpper(d, a, b), d, to + (k + 1) * to_stride);
  }
  for (; k < depth; ++k) {
    for (std::size_t n = 0; n < hn::Lanes(d); ++n) to[k * to_stride + n] = from[n * stride + k];
  }
}
#endif

/// A matrix on its way into panels, given by the addresses of its rows or of its columns, whichever lie in one piece.
template <class T>
class Packing {
 public:
  Packing(std::size_t max_depth, std::size_t columns)
      : packed_{nullptr, max_depth, columns}, memory_(make_buffer<T>(packed_.size())) {
    packed_.data = memory_.get();
  }

  /// At most `max_depth` of them.
  void take_rows(std::vector<const T*> rows) {
    lines_ = std::move(rows);
    are_rows_ = true;
    packed_.depth = lines_.size();
  }
  /// As line_addresses gives them.
  void take_columns(std::vector<const T*> columns) {
    lines_ = std::move(columns);
    are_rows_ = false;
  }

  const PackedMatrix<T>& packed() const { return packed_; }

  /// Fills panel `p`.
  void pack(std::size_t p) {
    const std::size_t width = panel_width<T>();
    const std::size_t filled = std::min(width, packed_.columns - p * width);
    T* const panel = memory_.get() + p * width * packed_.depth;
    if (are_rows_) {
      pack_rows(p * width, filled, panel);
    } else {
      pack_columns(p * width, filled, panel);
    }
    for (std::size_t k = 0; filled < width && k < packed_.depth; ++k) {
      std::fill(panel + k * width + filled, panel + (k + 1) * width, T{0});
    }
  }

 private:
  void pack_rows(std::size_t first, std::size_t count, T* panel) const {
    const std::size_t width = panel_width<T>();
    for (std::size_t k = 0; k < packed_.depth; ++k) std::copy_n(lines_[k] + first, count, panel + k * width);
  }

  /// A vector of columns at a time, where they lie at one distance: line_addresses jumps once at most, so the last of
  /// them tells.
  void pack_columns(std::size_t first, std::size_t count, T* panel) const {
    const std::size_t width = panel_width<T>();
    const std::size_t lanes = hn::Lanes(hn::ScalableTag<T>());
    for (std::size_t n = 0; n < count;) {
      const T* const* const columns = lines_.data() + first + n;
      const auto stride = n + 1 < count ? columns[1] - columns[0] : 0;
      if (n + lanes <= count && stride > 0 &&
          columns[lanes - 1] == columns[0] + static_cast<std::ptrdiff_t>(lanes - 1) * stride) {
        transpose(columns[0], static_cast<std::size_t>(stride), packed_.depth, panel + n, width);
        n += lanes;
      } else {
        for (std::size_t k = 0; k < packed_.depth; ++k) panel[k * width + n] = columns[0][k];
        ++n;
      }
    }
  }

  PackedMatrix<T> packed_;
  Buffer<T> memory_;
  std::vector<const T*> lines_;
  bool are_rows_ = false;
};

/// Fills a worker's part of the panels of some matrices.
template <class T>
void pack_part(const std::vector<Packing<T>*>& matrices, const Worker& worker) {
  for (auto* matrix : matrices) {
    const Range panels = worker.part_of(matrix->packed().panels());
    for (std::size_t p = panels.begin; p < panels.end; ++p) matrix->pack(p);
  }
}

/// Fills all panels of some matrices.
template <class T>
void pack(const std::vector<Packing<T>*>& matrices, std::size_t threads, const Executor& executor) {
  constexpr std::size_t bytes_worth_a_thread = 256 << 10;
  std::size_t bytes = 0;
  for (const auto* matrix : matrices) bytes += matrix->packed().size() * sizeof(T);
  const std::size_t parts = std::clamp<std::size_t>(bytes / bytes_worth_a_thread, 1, threads);
  executor(parts, [&](std::size_t begin, std::size_t end) { pack_part(matrices, Worker({begin, end}, parts)); });
}

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
