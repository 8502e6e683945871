#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace packseq::nn::detail {

/// The distinct ids of some tokens.
struct Distinct {
  at::Tensor ids;    ///< Each that is not known once, int64 [U], in the order in which they come.
  at::Tensor index;  ///< int32 [N]: of each token its id, if that is known, else the number of known ids and the place.
};

/// Finds them in O(N); `ids` is int64 [N] on the CPU, those below `known` are known.
/// @throws c10::IndexError if an id is not in 0 ... size - 1.
Distinct find_distinct(const char* function, const at::Tensor& ids, std::int64_t size, std::int64_t known);

}  // namespace packseq::nn::detail
