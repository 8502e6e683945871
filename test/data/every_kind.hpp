#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "packseq/data/documents.hpp"

namespace packseq::test {

/// What the elements are of the tensors in which a dataset may be.
struct Kind {
  c10::ScalarType dtype;
  std::vector<std::int64_t> trailing;  ///< Sizes after the first dimension.
};

inline std::vector<Kind> every_kind() {
  std::vector<Kind> kinds;
  for (const auto dtype :
       {at::kBool, at::kByte, at::kChar, at::kShort, at::kInt, at::kLong, at::kUInt16, at::kUInt32, at::kUInt64,
        at::kFloat8_e4m3fn, at::kFloat8_e5m2, at::kHalf, at::kBFloat16, at::kFloat, at::kDouble, at::kComplexFloat}) {
    for (const auto& trailing : std::vector<std::vector<std::int64_t>>{{}, {3}, {2, 0}, {2, 3}}) {
      kinds.push_back({dtype, trailing});
    }
  }
  return kinds;
}

/// Random elements, all different but in the narrow dtypes; `apart` in memory if need be.
inline at::Tensor elements(std::int64_t rows, const Kind& kind, bool apart = false) {
  std::vector<std::int64_t> sizes = kind.trailing;
  sizes.insert(sizes.begin(), rows);
  const auto one = torch::randint(0, 100, sizes, at::kDouble).to(kind.dtype);
  return apart ? at::stack({one, one}, -1).select(-1, 1) : one;
}

/// Documents of 0 to 12 tokens, with everything that documents may have; labels are numbered along.
inline data::Documents documents_with_everything(std::int64_t count, const Kind& kind, bool apart = false) {
  const auto lengths = torch::randint(0, 13, {count}, at::kLong);
  const auto tokens = lengths.sum().item<std::int64_t>();
  const auto part = [&](const Kind& of) { return Jagged::from_values(elements(tokens, of, apart), lengths); };
  return {.sequences = part(kind),
          .labels = elements(count, kind, apart),
          .token_labels = part(kind),
          .features = {part({at::kLong, {}}), part({kind.dtype, {2}})}};
}

/// The elements as they lie in memory, whatever their dtype: LibTorch does not compare all of them.
inline std::string bits_of(const at::Tensor& tensor) {
  const auto contiguous = tensor.contiguous();
  return c10::str(contiguous.dtype(), contiguous.sizes()) +
         std::string(static_cast<const char*>(contiguous.const_data_ptr()), contiguous.nbytes());
}

}  // namespace packseq::test
