#include "sequence/padded.hpp"

#include <c10/util/Exception.h>
#include <c10/util/safe_numerics.h>

#include <algorithm>

#include "sequence/check.hpp"
#include "sequence/layout.hpp"

namespace packseq::detail {

PaddedShape shape_of(const at::Tensor& padded, const UnpadOptions& options) {
  return {options.batch_first, options.padding_side, padded.size(options.batch_first ? 0 : 1),
          padded.size(options.batch_first ? 1 : 0)};
}

PaddedShape checked_shape(const char* function, const PadOptions& options, std::span<const std::int64_t> lengths,
                          at::IntArrayRef cell, std::size_t element_size) {
  const std::int64_t longest = *std::max_element(lengths.begin(), lengths.end());
  const auto batch = static_cast<std::int64_t>(lengths.size());
  const std::int64_t steps = options.total_length.value_or(longest);
  TORCH_CHECK_VALUE(steps >= longest, function, ": total_length is ", steps, ", and must be at least ", longest,
                    ", the length of the longest sequence");
  auto bytes = static_cast<std::int64_t>(element_size);
  bool overflows = c10::mul_overflows(bytes, batch, &bytes) || c10::mul_overflows(bytes, steps, &bytes);
  for (const std::int64_t size : cell) overflows = overflows || c10::mul_overflows(bytes, size, &bytes);
  TORCH_CHECK_VALUE(!overflows, function, ": total_length is ", steps, ", and ", batch,
                    " sequences of that many steps take 2^63 bytes or more");
  return {options.batch_first, options.padding_side, batch, steps};
}

at::Tensor gather_padded(const at::Tensor& padded, const at::Tensor& rows) {
  return select_rows(padded.flatten(0, 1), rows);
}

PaddedBatch::PaddedBatch(const char* function, const PadOptions& options, std::span<const std::int64_t> lengths,
                         const at::Tensor& like)
    : shape_(checked_shape(function, options, lengths, like.sizes().slice(1), like.itemsize())) {
  check_padding_value(function, options.padding_value, like.scalar_type());
  auto sizes = like.sizes().vec();
  sizes[0] = shape_.batch * shape_.steps;
  cells_ = like.new_full(sizes, options.padding_value);
}

}  // namespace packseq::detail
