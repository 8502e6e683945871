#pragma once

#include <ATen/core/Tensor.h>
#include <torch/ordered_dict.h>

#include <filesystem>
#include <string>

#include "packseq/export.hpp"

namespace torch::nn {
class Module;
}

namespace packseq::nn {

/// The weights of a module under their names, the same in Python and C++: "lstm.weight_ih_l0".
using StateDict = torch::OrderedDict<std::string, at::Tensor>;

/// The parameters and buffers of a module and its submodules, as `torch.nn.Module.state_dict`: they share their numbers
/// with the module, and nothing done with them has a gradient.
/// @code
/// const auto state = packseq::nn::state_dict(*lstm);
/// state["weight_ih_l0"];   // [20, 4]
/// @endcode
PACKSEQ_EXPORT StateDict state_dict(const torch::nn::Module& module);

/// Reads the weights that `torch.save(dict(model.state_dict()), file)` has written in Python, to the CPU.
///
/// The `dict` is needed: what `state_dict` returns is a dict with an attribute, which LibTorch cannot read.
/// @throws c10::ValueError if `file` is not a file, or is anything else than a dict written by `torch.save`.
/// @throws c10::ValueError that names the key, if a key is not a string, or a value not a tensor.
/// @code
/// const auto state = packseq::nn::read_state_dict("model.pt");
/// @endcode
PACKSEQ_EXPORT StateDict read_state_dict(const std::filesystem::path& file);

/// Which weights of a `StateDict` are loaded.
struct LoadOptions {
  std::string prefix = {};  ///< Only those whose keys begin with it, the module's own names behind it: "encoder.lstm.".
};

/// Copies weights into a module: all of them, or none if they do not fit.
///
/// The module keeps its tensors, on their device: optimizers go on with them, and `requires_grad` stays. No other
/// thread may use the module meanwhile.
/// @throws c10::ValueError that lists everything that does not fit: parameters or buffers without a key in `state`;
///   keys under `options.prefix` that the module does not know; tensors that are undefined or differ from the module's
///   in sizes or dtype; different numbers for one tensor that the module holds under several names. Prefixes with which
///   `state` would fit are suggested.
/// @code
/// packseq::nn::load_state_dict(*lstm, packseq::nn::read_state_dict("model.pt"), {.prefix = "encoder.lstm."});
/// @endcode
PACKSEQ_EXPORT void load_state_dict(torch::nn::Module& module, const StateDict& state, const LoadOptions& options = {});

}  // namespace packseq::nn
