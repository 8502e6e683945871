#include "packseq/sequence/jagged.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <utility>

#include "sequence/check.hpp"

namespace packseq {
namespace {

void check_sequences(const std::vector<at::Tensor>& sequences) {
  TORCH_CHECK_VALUE(!sequences.empty(), "Jagged: sequences is empty: a batch has at least one sequence");
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const at::Tensor& sequence = sequences[i];
    TORCH_CHECK_VALUE(sequence.defined() && sequence.dim() > 0, "Jagged: sequences[", i, "] is ",
                      sequence.defined() ? "a scalar" : "undefined", ", and must have at least one dimension");
    const at::Tensor& first = sequences.front();
    TORCH_CHECK_TYPE(sequence.scalar_type() == first.scalar_type() && sequence.device() == first.device(),
                     "Jagged: sequences[", i, "] is ", sequence.scalar_type(), " on ", sequence.device(),
                     ", but sequences[0] is ", first.scalar_type(), " on ", first.device());
    TORCH_CHECK_VALUE(sequence.sizes().slice(1) == first.sizes().slice(1), "Jagged: sequences[", i, "] has sizes ",
                      sequence.sizes(), ", but sequences[0] has ", first.sizes(),
                      ": all but the first must be the same");
  }
}

/// Where each sequence begins, and the end of the last.
std::vector<std::int64_t> offsets_of(const std::vector<std::int64_t>& lengths) {
  std::vector<std::int64_t> offsets = {0};
  offsets.reserve(lengths.size() + 1);
  for (const std::int64_t length : lengths) offsets.push_back(offsets.back() + length);
  return offsets;
}

}  // namespace

Jagged::Jagged(const std::vector<at::Tensor>& sequences) {
  check_sequences(sequences);
  lengths_ = at::empty({static_cast<std::int64_t>(sequences.size())}, at::kLong);
  auto* length = lengths_.mutable_data_ptr<std::int64_t>();
  for (const at::Tensor& sequence : sequences) *length++ = sequence.size(0);
  values_ = at::cat(sequences);
  offsets_ = offsets_of(detail::checked_lengths("Jagged", "lengths", lengths_));
}

Jagged Jagged::from_values(at::Tensor values, const at::Tensor& lengths) {
  detail::check_has_rows("Jagged::from_values", "values", values);
  const auto entries = detail::checked_lengths("Jagged::from_values", "lengths", lengths);
  detail::check_sum("Jagged::from_values", "lengths", entries, "values", values.size(0));
  Jagged jagged;
  jagged.values_ = std::move(values);
  jagged.lengths_ = lengths.clone(at::MemoryFormat::Contiguous);  // whatever the caller does with his own
  jagged.offsets_ = offsets_of(entries);
  return jagged;
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
