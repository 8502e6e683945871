#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "nn/pickle_value.hpp"
#include "packseq/nn/state_dict.hpp"

namespace packseq::nn::detail {

/// The tensors of a dict, under their keys, which are texts of the pickle.
using PickledWeights = std::vector<std::pair<std::string_view, const PickledTensor*>>;

/// The weights that `options` ask for, from the object that was saved.
/// @throws Refusal that says what is there instead, and under which keys tensors lie.
PickledWeights pickled_weights(const PickleValue& top, const ReadOptions& options);

}  // namespace packseq::nn::detail
