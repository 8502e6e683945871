#pragma once

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include "packseq/data/documents.hpp"

namespace packseq::data::detail {

/// A batch for a process that has no document of its own: one without tokens, its label ignored.
inline Documents nothing_to_learn(bool with_labels) {
  return {Jagged::from_values(at::empty({0}, at::kLong), at::zeros({1}, at::kLong)),
          with_labels ? at::full({1}, ignored_label, at::kLong) : at::Tensor()};
}

}  // namespace packseq::data::detail
