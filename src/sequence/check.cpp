#include "sequence/check.hpp"

#include <c10/util/Exception.h>

#include <cstdint>
#include <string>

namespace packseq::detail {
namespace {

bool is_dense(const at::Tensor& tensor) { return tensor.layout() == at::kStrided && !tensor.is_nested(); }

void check_dense(const char* function, const char* argument, const at::Tensor& tensor) {
  TORCH_CHECK_TYPE(is_dense(tensor), function, ": ", argument, " is a ",
                   tensor.is_nested() ? "nested" : c10::str(tensor.layout()), " tensor, and must be a dense one");
}

/// Numbers that are not negative, one for each of what they are `of`.
std::vector<std::int64_t> checked_counts(const char* function, const char* argument, const at::Tensor& lengths,
                                         const char* sizes, const char* of) {
  TORCH_CHECK_VALUE(lengths.defined(), function, ": ", argument, " is undefined");
  check_dense(function, argument, lengths);
  TORCH_CHECK_TYPE(lengths.scalar_type() == at::kLong && lengths.is_cpu(), function, ": ", argument, " is ",
                   lengths.scalar_type(), " on ", lengths.device(), ", and must be int64 (Long) on cpu");
  TORCH_CHECK_VALUE(lengths.dim() == 1, function, ": ", argument, " has sizes ", lengths.sizes(),
                    ", and must have one dimension, ", sizes);
  TORCH_CHECK_VALUE(lengths.size(0) > 0, function, ": ", argument, " is empty: a batch has at least one ", of);
  const at::Tensor contiguous = lengths.contiguous();
  const auto* data = contiguous.const_data_ptr<std::int64_t>();
  std::vector<std::int64_t> entries(data, data + contiguous.numel());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    TORCH_CHECK_VALUE(entries[i] >= 0, function, ": ", argument, "[", i, "] is ", entries[i],
                      ", and must not be negative");
  }
  return entries;
}

}  // namespace

void check_has_rows(const char* function, const char* argument, const at::Tensor& tensor) {
  TORCH_CHECK_VALUE(tensor.defined(), function, ": ", argument, " is undefined, and must have at least one dimension");
  check_dense(function, argument, tensor);
  TORCH_CHECK_VALUE(tensor.dim() > 0, function, ": ", argument, " is a scalar, and must have at least one dimension");
}

std::vector<std::int64_t> checked_lengths(const char* function, const std::vector<at::Tensor>& sequences) {
  TORCH_CHECK_VALUE(!sequences.empty(), function, ": sequences is empty: a batch has at least one sequence");
  const at::Tensor& first = sequences.front();
  std::vector<std::int64_t> lengths;
  lengths.reserve(sequences.size());
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const at::Tensor& sequence = sequences[i];
    // Names are made only for what is refused: there may be many sequences, and short ones.
    if (!sequence.defined() || !is_dense(sequence) || sequence.dim() == 0) {
      check_has_rows(function, c10::str("sequences[", i, "]").c_str(), sequence);
    }
    TORCH_CHECK_TYPE(sequence.scalar_type() == first.scalar_type() && sequence.device() == first.device(), function,
                     ": sequences[", i, "] is ", sequence.scalar_type(), " on ", sequence.device(),
                     ", but sequences[0] is ", first.scalar_type(), " on ", first.device());
    TORCH_CHECK_VALUE(sequence.sizes().slice(1) == first.sizes().slice(1), function, ": sequences[", i, "] has sizes ",
                      sequence.sizes(), ", but sequences[0] has ", first.sizes(),
                      ": all but the first must be the same");
    lengths.push_back(sequence.size(0));
  }
  return lengths;
}

void check_sum(const char* function, const char* argument, const std::vector<std::int64_t>& entries, const char* owner,
               std::int64_t rows) {
  std::int64_t rest = rows;  // counted down, so that no entry, however large, makes it overflow
  for (const std::int64_t entry : entries) {
    TORCH_CHECK_VALUE(entry <= rest, function, ": ", argument, " has a sum of more than ", rows, ", the rows of ",
                      owner);
    rest -= entry;
  }
  TORCH_CHECK_VALUE(rest == 0, function, ": ", argument, " has the sum ", rows - rest, ", but ", owner, " has ", rows,
                    " rows");
}

std::vector<std::int64_t> checked_lengths(const char* function, const char* argument, const at::Tensor& lengths) {
  return checked_counts(function, argument, lengths, "[B]", "sequence");
}

std::vector<std::int64_t> checked_batch_sizes(const char* function, const at::Tensor& batch_sizes, std::int64_t rows) {
  auto entries = checked_counts(function, "batch_sizes", batch_sizes, "[T]", "step");
  for (std::size_t step = 1; step < entries.size(); ++step) {
    TORCH_CHECK_VALUE(entries[step] <= entries[step - 1], function, ": batch_sizes[", step, "] is ", entries[step],
                      ", more than the ", entries[step - 1], " before it");
  }
  check_sum(function, "batch_sizes", entries, "data", rows);
  return entries;
}

std::vector<std::int64_t> checked_lengths(const char* function, const Jagged& sequences) {
  auto entries = checked_lengths(function, "lengths", sequences.lengths());
  check_sum(function, "lengths", entries, "values", sequences.values().size(0));
  return entries;
}

std::vector<std::int64_t> checked_lengths_of(const char* function, const char* argument, const at::Tensor& padded,
                                             bool batch_first, const at::Tensor& lengths) {
  TORCH_CHECK_VALUE(padded.defined(), function, ": ", argument, " is undefined");
  check_dense(function, argument, padded);
  TORCH_CHECK_VALUE(padded.dim() >= 2, function, ": ", argument, " has sizes ", padded.sizes(),
                    ", and must have at least two dimensions, ", batch_first ? "[B, T, *]" : "[T, B, *]");
  auto entries = checked_lengths(function, "lengths", lengths);
  const std::int64_t batch = padded.size(batch_first ? 0 : 1);
  const std::int64_t steps = padded.size(batch_first ? 1 : 0);
  TORCH_CHECK_VALUE(static_cast<std::int64_t>(entries.size()) == batch, function, ": lengths has ", entries.size(),
                    " entries, but ", argument, " with sizes ", padded.sizes(),
                    " and batch_first = ", batch_first ? "true" : "false", " holds ", batch, " sequences");
  for (std::size_t i = 0; i < entries.size(); ++i) {
    TORCH_CHECK_VALUE(entries[i] <= steps, function, ": lengths[", i, "] is ", entries[i], ", and must be in 0 ... ",
                      steps, ", the number of steps of ", argument);
  }
  return entries;
}

}  // namespace packseq::detail
