// Going down some columns of a packed batch at a time. Compiled once for each CPU target.

#if defined(PACKSEQ_KERNELS_COLUMNS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef PACKSEQ_KERNELS_COLUMNS_INL
#undef PACKSEQ_KERNELS_COLUMNS_INL
#else
#define PACKSEQ_KERNELS_COLUMNS_INL
#endif

#include <algorithm>
#include <cstddef>

#include "kernels/softmax.hpp"
#include "kernels/vector_math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace packseq::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Columns side by side, at most as many as eight vectors hold: few enough for the registers, and enough for all the
/// memory that a step reads to be under way at once.
template <class T>
class Block {
 public:
  static constexpr std::size_t vectors = 8;

  /// One number for each column.
  struct Row {
    HWY_ALIGN T numbers[vectors * hn::MaxLanes(Tag<T>())];
    explicit Row(T number) { std::fill_n(numbers, vectors * hn::MaxLanes(Tag<T>()), number); }
  };

  static std::size_t width() { return vectors * hn::Lanes(Tag<T>()); }

  Block(const Columns& columns, std::size_t begin) : columns_(columns), begin_(begin) {
    while (whole_ < columns.widths.size() && columns.widths[whole_] >= begin + width()) ++whole_;
  }

  /// Calls `body(access, at, known, state)` for each vector of numbers, the first step's first: they are `at` this
  /// place in the batch, and `known` and `state` are those of their columns, of which it may change `state`.
  template <class Body>
  HWY_INLINE void down(const Row& known, Row& state, Body body) const {
    down_whole(known, state, body);
    for (std::size_t step = whole_; step < columns_.widths.size() && columns_.widths[step] > begin_; ++step) {
      const std::size_t at = columns_.begins[step] + begin_;
      for_units<T>({0, std::min(columns_.widths[step] - begin_, width())}, [&](auto access, std::size_t column) {
        auto changing = access.load(state.numbers + column);
        body(access, at + column, access.load(known.numbers + column), changing);
        access.store(changing, state.numbers + column);
      });
    }
  }

 private:
  /// The steps that all of the columns reach: what is known of these stays in registers.
  template <class Body>
  HWY_INLINE void down_whole(const Row& known, Row& state, Body body) const {
    const Tag<T> d;
    const std::size_t lanes = hn::Lanes(d);
    Vector<T> fixed[vectors];
    Vector<T> changing[vectors];
    for (std::size_t i = 0; i < vectors; ++i) {
      fixed[i] = hn::Load(d, known.numbers + i * lanes);
      changing[i] = hn::Load(d, state.numbers + i * lanes);
    }
    const std::size_t* begins = columns_.begins.data();
    for (std::size_t step = 0; step < whole_; ++step) {
      const std::size_t at = begins[step] + begin_;
      for (std::size_t i = 0; i < vectors; ++i) body(Whole(), at + i * lanes, fixed[i], changing[i]);
    }
    for (std::size_t i = 0; i < vectors; ++i) hn::Store(changing[i], d, state.numbers + i * lanes);
  }

  const Columns& columns_;
  std::size_t begin_;
  std::size_t whole_ = 0;  ///< So many steps have all of a full block's columns.
};

}  // namespace packseq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
