#include "packseq/sequence/jagged.hpp"

#include <ATen/ops/cat.h>
#include <c10/util/Exception.h>

#include <utility>

#include "sequence/check.hpp"
#include "sequence/layout.hpp"

namespace packseq {
namespace {

/// Where each sequence begins, and the end of the last.
std::vector<std::int64_t> offsets_of(const std::vector<std::int64_t>& lengths) {
  std::vector<std::int64_t> offsets = {0};
  offsets.reserve(lengths.size() + 1);
  for (const std::int64_t length : lengths) offsets.push_back(offsets.back() + length);
  return offsets;
}

}  // namespace

Jagged::Jagged(const std::vector<at::Tensor>& sequences) {
  const auto lengths = detail::checked_lengths("Jagged", sequences);
  values_ = at::cat(sequences);
  lengths_ = detail::to_tensor(lengths);
  offsets_ = offsets_of(lengths);
}

Jagged Jagged::from_values(at::Tensor values, const at::Tensor& lengths) {
  detail::check_has_rows("Jagged::from_values", "values", values);
  const auto entries = detail::checked_lengths("Jagged::from_values", "lengths", lengths);
  detail::check_sum("Jagged::from_values", "lengths", entries, "values", values.size(0));
  Jagged jagged;
  jagged.values_ = std::move(values);
  jagged.lengths_ = lengths.clone(at::MemoryFormat::Contiguous);  // the caller may change theirs
  jagged.offsets_ = offsets_of(entries);
  return jagged;
}

Jagged Jagged::to(const at::TensorOptions& options) const {
  TORCH_CHECK_VALUE(options.layout() == at::kStrided && !options.requires_grad() && !options.pinned_memory() &&
                        !options.has_memory_format(),
                    "Jagged::to: options is ", options, ", and may set dtype and device only");
  Jagged moved = *this;
  moved.values_ = values_.to(options);
  return moved;
}

at::Tensor Jagged::operator[](std::int64_t index) const {
  TORCH_CHECK_INDEX(index >= 0 && index < size(), "Jagged: index ", index, " is not in 0 ... ", size() - 1);
  const auto i = static_cast<std::size_t>(index);
  return values_.narrow(0, offsets_[i], offsets_[i + 1] - offsets_[i]);
}

std::vector<at::Tensor> Jagged::unbind() const {
  std::vector<at::Tensor> sequences;
  sequences.reserve(static_cast<std::size_t>(size()));
  for (std::int64_t i = 0; i < size(); ++i) sequences.push_back((*this)[i]);
  return sequences;
}

}  // namespace packseq
