#include "sequence/place.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>

#include <cstddef>
#include <cstring>
#include <vector>

#include "sequence/layout.hpp"
#include "sequence/plain.hpp"

namespace packseq::detail {
namespace {

void copy(at::TensorList sequences, const at::Tensor& rows, at::Tensor& out) {
  std::vector<std::int64_t> ends;  // of each sequence among the rows
  for (const at::Tensor& sequence : sequences) {
    ends.push_back((ends.empty() ? 0 : ends.back()) + sequence.size(0));
  }
  if (out.numel() == 0) return;
  const auto bytes = out.nbytes() / static_cast<std::size_t>(out.size(0));
  const auto* row = rows.const_data_ptr<std::int64_t>();
  auto* to = static_cast<std::byte*>(out.mutable_data_ptr());
  // About as many elements for each thread as LibTorch gives it.
  const auto grain = 1 + at::internal::GRAIN_SIZE * static_cast<std::int64_t>(sequences.size()) / out.numel();
  at::parallel_for(0, static_cast<std::int64_t>(sequences.size()), grain, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      const auto* from = static_cast<const std::byte*>(sequences[i].const_data_ptr());
      for (std::int64_t token = ends[i] - sequences[i].size(0); token < ends[i]; ++token, from += bytes) {
        std::memcpy(to + static_cast<std::size_t>(row[token]) * bytes, from, bytes);
      }
    }
  });
}

}  // namespace

void place(const at::Tensor& values, const at::Tensor& rows, at::Tensor& out) {
  at::Tensor cells = carried(out);
  cells.index_copy_(0, rows.to(out.device()), carried(values));
}

void place(at::TensorList sequences, const at::Tensor& rows, at::Tensor& out) {
  if (are_copyable(out) && are_copyable(sequences)) {
    copy(sequences, rows, out);
  } else {
    place(at::cat(sequences), rows, out);
  }
}

}  // namespace packseq::detail
