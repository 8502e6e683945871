#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "kernels/passes.hpp"

namespace packseq::engine {

/// The packed form of a weight in its role in a network, where it is frozen; made by `pack` at first. Else undefined.
at::Tensor find_packed(const at::Tensor& weight, kernels::Cell cell, kernels::Role role, kernels::Precision precision,
                       const std::function<at::Tensor()>& pack);

}  // namespace packseq::engine
