#include "data/check_documents.hpp"

#include <c10/util/Exception.h>

#include <cstddef>

#include "sequence/check.hpp"

namespace packseq::data::detail {
namespace {

/// True of every Jagged until somebody resizes its values.
void check_rows(const char* function, const PartName& name, const Jagged& jagged) {
  TORCH_CHECK_VALUE(jagged.values().size(0) == jagged.offsets().back(), function, ": the values of ", name, " have ",
                    jagged.values().size(0), " rows, and its lengths the sum ", jagged.offsets().back());
}

void check_labels(const char* function, const Documents& documents) {
  if (!documents.labels.defined()) return;
  packseq::detail::check_has_rows(function, "labels", documents.labels);
  TORCH_CHECK_VALUE(documents.labels.size(0) == documents.sequences.size(), function, ": labels has sizes ",
                    documents.labels.sizes(), ", and must have ", documents.sequences.size(),
                    " rows, one for each document");
}

void check_numbers(const char* function, const Documents& documents) {
  const at::Tensor& numbers = documents.documents;
  if (!numbers.defined()) return;
  TORCH_CHECK_TYPE(numbers.scalar_type() == at::kLong && numbers.is_cpu(), function, ": documents is ",
                   numbers.scalar_type(), " on ", numbers.device(), ", and must be int64 (Long) on cpu");
  TORCH_CHECK_VALUE(numbers.dim() == 1 && numbers.size(0) == documents.sequences.size(), function,
                    ": documents has sizes ", numbers.sizes(), ", and must have [", documents.sequences.size(),
                    "], a number for each document");
}

void check_part(const char* function, const PartName& name, const Jagged& part, const Jagged& sequences) {
  check_rows(function, name, part);
  TORCH_CHECK_TYPE(part.values().device() == sequences.values().device(), function, ": ", name, " is on ",
                   part.values().device(), ", but sequences on ", sequences.values().device());
  TORCH_CHECK_VALUE(part.size() == sequences.size(), function, ": ", name, " is of ", part.size(),
                    " documents, but sequences of ", sequences.size());
}

void check_length(const char* function, const PartName& name, const Jagged& part, const Jagged& sequences,
                  std::size_t document) {
  const auto length = [document](const Jagged& of) { return of.offsets()[document + 1] - of.offsets()[document]; };
  TORCH_CHECK_VALUE(length(part) == length(sequences), function, ": ", name, " has ", length(part),
                    " rows for document ", document, ", which has ", length(sequences), " tokens");
}

}  // namespace

void check_parts(const char* function, const Documents& documents) {
  check_rows(function, {"sequences"}, documents.sequences);
  check_labels(function, documents);
  check_numbers(function, documents);
  for_each_part(documents, [&](const Jagged& part, const PartName& name) {
    check_part(function, name, part, documents.sequences);
  });
}

void check_lengths(const char* function, const Documents& documents, at::ArrayRef<std::size_t> indices) {
  for_each_part(documents, [&](const Jagged& part, const PartName& name) {
    for (const std::size_t index : indices) check_length(function, name, part, documents.sequences, index);
  });
}

void check_documents(const char* function, const Documents& documents) {
  check_parts(function, documents);
  for_each_part(documents, [&](const Jagged& part, const PartName& name) {
    const auto count = static_cast<std::size_t>(part.size());
    for (std::size_t i = 0; i < count; ++i) check_length(function, name, part, documents.sequences, i);
  });
}

}  // namespace packseq::data::detail
