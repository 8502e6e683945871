#pragma once

#include <string>

#include "packseq/nn/state_dict.hpp"

namespace packseq::nn::detail {

/// Refuses a `state` that `load_state_dict` would refuse for its names, sizes or dtypes; changes nothing.
void check_fits(const torch::nn::Module& module, const StateDict& state, const std::string& prefix = {});

}  // namespace packseq::nn::detail
