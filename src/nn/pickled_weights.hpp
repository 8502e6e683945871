#pragma once

#include <string>
#include <utility>
#include <vector>

#include "nn/pickle_value.hpp"

namespace packseq::nn::detail {

/// The tensors of a dict, under their keys.
using PickledWeights = std::vector<std::pair<std::string, const PickledTensor*>>;

/// The weights in the dict to which `key` leads, from the object that was saved; see ReadOptions.
/// @throws Refusal that says what is there instead, and under which keys tensors lie.
PickledWeights pickled_weights(const PickleValue& top, const std::vector<std::string>& key);

}  // namespace packseq::nn::detail
