#include "nn/distinct.hpp"

#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <bit>
#include <cstddef>
#include <limits>
#include <vector>

namespace packseq::nn::detail {
namespace {

/// A hash table of ids that never grows: at most half full, with linear probing.
class Places {
 public:
  explicit Places(std::size_t most)
      : bits_(static_cast<int>(std::bit_width(2 * most))), slots_(std::size_t{1} << bits_, Slot{0, none}) {}

  /// The place of an id, or `next`, which it then has, if it is new.
  std::int32_t place_of(std::int64_t id, std::int32_t next) {
    // Multiplicative hashing (D. Knuth, The Art of Computer Programming, volume 3, section 6.4).
    std::size_t slot = (static_cast<std::uint64_t>(id) * 0x9E3779B97F4A7C15) >> (64 - bits_);
    while (slots_[slot].place != none && slots_[slot].id != id) slot = (slot + 1) & (slots_.size() - 1);
    if (slots_[slot].place == none) slots_[slot] = {id, next};
    return slots_[slot].place;
  }

 private:
  static constexpr std::int32_t none = -1;
  struct Slot {
    std::int64_t id;
    std::int32_t place;
  };

  int bits_;
  std::vector<Slot> slots_;
};

}  // namespace

Distinct find_distinct(const char* function, const at::Tensor& ids, std::int64_t size, std::int64_t known) {
  const at::Tensor contiguous = ids.contiguous();
  const auto* const id = contiguous.const_data_ptr<std::int64_t>();
  const std::int64_t tokens = ids.size(0);
  const auto most = std::numeric_limits<std::int32_t>::max() - known;
  TORCH_CHECK_VALUE(tokens <= most, function, ": the data of ids has ", tokens, " tokens, and must have at most ",
                    most);
  Distinct distinct = {at::empty({tokens}, at::kLong), at::empty({tokens}, at::kInt)};
  auto* const distinct_id = distinct.ids.mutable_data_ptr<std::int64_t>();
  auto* const index = distinct.index.mutable_data_ptr<std::int32_t>();
  Places places(static_cast<std::size_t>(tokens));
  std::int32_t count = 0;
  for (std::int64_t i = 0; i < tokens; ++i) {
    TORCH_CHECK_INDEX(id[i] >= 0 && id[i] < size, function, ": the data of ids has ", id[i], " at ", i,
                      ", and must be in 0 ... ", size - 1);
    if (id[i] < known) {
      index[i] = static_cast<std::int32_t>(id[i]);
      continue;
    }
    const std::int32_t place = places.place_of(id[i], count);
    if (place == count) distinct_id[count++] = id[i];
    index[i] = static_cast<std::int32_t>(known) + place;
  }
  distinct.ids.resize_({count});
  return distinct;
}

}  // namespace packseq::nn::detail
