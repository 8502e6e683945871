#include "packseq/sequence/map.hpp"

#include <c10/util/Exception.h>

#include <utility>

#include "sequence/check.hpp"
#include "sequence/layout.hpp"

namespace packseq {

PackedSequence with_data(const PackedSequence& packed, at::Tensor data) {
  detail::check_has_rows("with_data", "data", data);
  detail::check_has_rows("with_data", "packed.data", packed.data());
  TORCH_CHECK_VALUE(data.size(0) == packed.data().size(0), "with_data: data has ", data.size(0),
                    " rows, but the packed batch has ", packed.data().size(0), " tokens");
  TORCH_CHECK_TYPE(data.device() == packed.data().device(), "with_data: data is on ", data.device(),
                   ", but the packed batch is on ", packed.data().device());
  return PackedSequence(std::move(data), packed.batch_sizes(), packed.sorted_indices(), packed.unsorted_indices());
}

namespace detail {

void check_same_layout(const char* function, const PackedSequence& first, const PackedSequence& second) {
  const auto a = checked_layout(function, first);
  const auto b = checked_layout(function, second);
  TORCH_CHECK_VALUE(a.batch_sizes.size() == b.batch_sizes.size(), function, ": the second batch has ",
                    b.batch_sizes.size(), " steps, but the first ", a.batch_sizes.size());
  for (std::size_t step = 0; step < a.batch_sizes.size(); ++step) {
    TORCH_CHECK_VALUE(a.batch_sizes[step] == b.batch_sizes[step], function, ": batch_sizes[", step,
                      "] of the second batch is ", b.batch_sizes[step], ", but that of the first ",
                      a.batch_sizes[step]);
  }
  TORCH_CHECK_VALUE(a.order.size() == b.order.size(), function, ": the second batch has ", b.order.size(),
                    " documents, but the first ", a.order.size());
  for (std::size_t rank = 0; rank < a.order.size(); ++rank) {
    TORCH_CHECK_VALUE(a.order[rank] == b.order[rank], function, ": sorted_indices[", rank, "] of the second batch is ",
                      b.order[rank], ", but that of the first ", a.order[rank]);
  }
}

}  // namespace detail

}  // namespace packseq
