#include "packseq/sequence/map.hpp"

#include <c10/util/Exception.h>

#include <utility>

#include "sequence/check.hpp"

namespace packseq {

PackedSequence with_data(const PackedSequence& packed, at::Tensor data) {
  detail::check_has_rows("with_data", "data", data);
  TORCH_CHECK_VALUE(data.size(0) == packed.data().size(0), "with_data: data has ", data.size(0),
                    " rows, but the packed batch has ", packed.data().size(0), " tokens");
  TORCH_CHECK_TYPE(data.device() == packed.data().device(), "with_data: data is on ", data.device(),
                   ", but the packed batch is on ", packed.data().device());
  return PackedSequence(std::move(data), packed.batch_sizes(), packed.sorted_indices(), packed.unsorted_indices());
}

}  // namespace packseq
