#pragma once

#include <ATen/core/Tensor.h>
#include <torch/ordered_dict.h>

#include <filesystem>
#include <string>
#include <vector>

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

/// Which part of a file is read.
struct ReadOptions {
  /// The keys that lead to the weights, from the outermost: {"model_state_dict"} for what Python has written by
  /// `torch.save({"epoch": 3, "model_state_dict": model.state_dict()}, file)`. A number's digits stand for a key that
  /// is an integer, and for a place in a list: {"models", "0"}.
  std::vector<std::string> key = {};

  /// Leaves out what is no tensor beside the weights, as is done wherever a key leads:
  /// `torch.save({"weight": tensor, "epoch": 3}, file)`. Nothing changes for safetensors, which hold tensors alone.
  bool tensors_only = false;
};

/// Reads the weights that `torch.save(model.state_dict(), file)` has written in Python, or a safetensors file, to the
/// CPU.
///
/// Of Python's file nothing is run, and nothing is read but the weights that are asked for. Memory is taken for their
/// numbers, and for what the file says beside all numbers: some 50 times its bytes, 300 times at most in a file that
/// was made to take much; a common model's are some kilobytes. Tensors come from whatever device and in whatever byte
/// order they were, as the views that they were: those that shared their numbers share them again, and with them the
/// numbers that the view leaves out, as `torch.load` has it; `clone` drops those. None requires a gradient. Where
/// `options.key` is given, entries that are no tensors are skipped; of numbers and other objects nothing else is told
/// than what they are. The checksums in Python's file are compared, which takes about a third of the time, unless it
/// was written without.
/// @throws c10::ValueError if `file` is not a file, or cut or damaged, as where a checksum is not that of what was
///   read; it says where.
/// @throws c10::ValueError if there is not enough memory for a part of the file.
/// @throws c10::ValueError that says what the file is and what to do, if it holds anything else: a whole model, a
///   TorchScript archive, what `torch::save` of C++ or PyTorch before 1.6 has written, a checkpoint of packseq, an
///   archive, a web page.
/// @throws c10::ValueError that names the key, if without `options.key` and `options.tensors_only` an entry is no
///   tensor, or if a tensor is sparse, quantized or of another kind that is not read; it lists the keys under which
///   tensors lie.
/// @throws c10::ValueError if `options.key` leads nowhere, to two entries or to no dict of tensors; it lists the keys
///   that there are.
/// @throws c10::ValueError if `options.key` is given for a safetensors file, in which nothing is nested.
/// @throws c10::ValueError if a key of the dict comes twice, or one that is no text has a tensor.
/// @code
/// const auto state = packseq::nn::read_state_dict("model.pt");
/// const auto nested = packseq::nn::read_state_dict("checkpoint.pt", {.key = {"model_state_dict"}});
/// @endcode
PACKSEQ_EXPORT StateDict read_state_dict(const std::filesystem::path& file, const ReadOptions& options = {});

/// Writes weights as Python's `torch.save` of a dict does: `model.load_state_dict(torch.load(file))` reads them there.
///
/// Tensors of any device are written as the views that they are, and those that share their numbers share
/// them again. The file is replaced as a whole: killed at any moment, there is the old one or the new one. (Killed
/// while it writes, a program leaves beside it a file ".packseq-...", which may go.)
/// @throws c10::ValueError that names the key, if it is not UTF-8, or its tensor is undefined, sparse, quantized, on
///   the device meta, of more than 64 dimensions, or of a dtype that Python does not read (`uint1` to `uint7`, `int1`
///   to `int7`).
/// @throws std::runtime_error that names file and reason, if it cannot be written, or is there and is no regular file.
/// @code
/// packseq::nn::write_state_dict("lstm.pt", packseq::nn::state_dict(*lstm));
/// @endcode
PACKSEQ_EXPORT void write_state_dict(const std::filesystem::path& file, const StateDict& state);

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
