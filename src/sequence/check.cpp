#include "sequence/check.hpp"

#include <ATen/ops/isfinite.h>
#include <ATen/ops/real.h>
#include <ATen/ops/scalar_tensor.h>
#include <c10/util/Exception.h>

#include <cmath>
#include <cstdint>

namespace packseq::detail {

void check_has_rows(const char* function, const char* argument, const at::Tensor& tensor) {
  TORCH_CHECK_VALUE(tensor.defined() && tensor.dim() > 0, function, ": ", argument, " is ",
                    tensor.defined() ? "a scalar" : "undefined", ", and must have at least one dimension");
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
  TORCH_CHECK_VALUE(lengths.defined(), function, ": ", argument, " is undefined");
  TORCH_CHECK_TYPE(lengths.scalar_type() == at::kLong && lengths.is_cpu(), function, ": ", argument, " is ",
                   lengths.scalar_type(), " on ", lengths.device(), ", and must be int64 (Long) on cpu");
  TORCH_CHECK_VALUE(lengths.dim() == 1, function, ": ", argument, " has sizes ", lengths.sizes(),
                    ", and must have one dimension, [B]");
  TORCH_CHECK_VALUE(lengths.size(0) > 0, function, ": ", argument, " is empty: a batch has at least one sequence");
  const at::Tensor contiguous = lengths.contiguous();
  const auto* data = contiguous.const_data_ptr<std::int64_t>();
  std::vector<std::int64_t> entries(data, data + contiguous.numel());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    TORCH_CHECK_VALUE(entries[i] >= 0, function, ": ", argument, "[", i, "] is ", entries[i],
                      ", and must not be negative");
  }
  return entries;
}

std::vector<std::int64_t> checked_lengths_of(const char* function, const char* argument, const at::Tensor& padded,
                                             bool batch_first, const at::Tensor& lengths) {
  TORCH_CHECK_VALUE(padded.defined(), function, ": ", argument, " is undefined");
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

namespace {

bool holds_integer(std::int64_t value, c10::ScalarType dtype) {
  const at::Tensor held = at::scalar_tensor(value, at::kLong).to(dtype);
  if (c10::isIntegralType(dtype, /*includeBool=*/true)) return held.to(at::kLong).item<std::int64_t>() == value;
  // Every floating-point dtype fits into double, and double tells exactly which integers it holds: 2^63 is the first
  // one that it rounds an int64 to without being one.
  const auto rounded = static_cast<double>(value);
  return rounded < 0x1p63 && static_cast<std::int64_t>(rounded) == value &&
         at::real(held).to(at::kDouble).item<double>() == rounded;
}

bool holds(const c10::Scalar& value, c10::ScalarType dtype) {
  if (value.isComplex()) {
    return c10::isComplexType(dtype) &&
           at::isfinite(at::scalar_tensor(value, at::kComplexDouble).to(dtype)).item<bool>();
  }
  if (value.isBoolean()) return true;
  if (!value.isFloatingPoint()) return holds_integer(value.toLong(), dtype);
  const double number = value.toDouble();
  if (c10::isIntegralType(dtype, /*includeBool=*/true)) {
    return std::floor(number) == number && std::abs(number) < 0x1p63 &&
           holds_integer(static_cast<std::int64_t>(number), dtype);
  }
  const at::Tensor held = at::real(at::scalar_tensor(number, at::kDouble).to(dtype));
  return !std::isfinite(number) || std::isfinite(held.to(at::kDouble).item<double>());
}

}  // namespace

void check_padding_value(const char* function, const c10::Scalar& value, c10::ScalarType dtype) {
  TORCH_CHECK_VALUE(holds(value, dtype), function, ": padding_value is ", value, ", which the dtype of the sequences, ",
                    dtype, ", cannot hold");
}

}  // namespace packseq::detail
