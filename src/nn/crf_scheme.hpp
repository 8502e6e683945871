#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "packseq/nn/crf.hpp"
#include "packseq/text/vocab.hpp"
#include "sequence/layout.hpp"

namespace packseq::nn::detail {

/// Where a token is, both counted from 0.
struct TokenPlace {
  std::int64_t document;
  std::int64_t step;
};

/// The place of the token with this row of a packed batch's data.
TokenPlace place_of(const packseq::detail::Layout& layout, std::int64_t row);

/// What a CRF's scheme forbids. No buffers of the module: pytorch-crf has none.
class ForbiddenTags {
 public:
  /// @throws c10::ValueError as the constructor of a CRF.
  explicit ForbiddenTags(const CRFOptions& options);

  /// Parameters with -infinity where the scheme forbids.
  at::Tensor in_start(const at::Tensor& parameter) const { return filled(parameter, start_); }
  at::Tensor in_end(const at::Tensor& parameter) const { return filled(parameter, end_); }
  at::Tensor in_transitions(const at::Tensor& parameter) const { return filled(parameter, transitions_); }

  /// Refuses labels, int64 [N] on the CPU, that the scheme forbids.
  void check(const char* function, const Vocab& tags, const packseq::detail::Layout& layout,
             const at::Tensor& labels) const;

 private:
  static at::Tensor filled(const at::Tensor& parameter, const at::Tensor& forbidden);

  at::Tensor start_;  // bool; undefined without a scheme
  at::Tensor end_;
  at::Tensor transitions_;
};

}  // namespace packseq::nn::detail
