#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "kernels/passes.hpp"

namespace packseq::engine {

/// Of what a weight's packed form is one.
struct PackedAs {
  kernels::Cell cell;
  kernels::Role role;
  kernels::Precision precision;
  bool operator==(const PackedAs&) const = default;
};

/// The packed form of a weight, where it is frozen; made by `pack` at first. Else undefined.
at::Tensor find_packed(const at::Tensor& weight, const PackedAs& as, const std::function<at::Tensor()>& pack);

}  // namespace packseq::engine
