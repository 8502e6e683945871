#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "packseq/export.hpp"
#include "packseq/nn/state_dict.hpp"

namespace packseq::nn {

/// What a safetensors file holds.
struct Safetensors {
  StateDict state;                                   ///< The tensors, on the CPU.
  std::map<std::string, std::string> metadata = {};  ///< Texts about them, as the file has them: {"format", "pt"}.
};

/// Reads a file of the format [safetensors](https://huggingface.co/docs/safetensors), which holds tensors and texts,
/// and nothing that could be run.
///
/// The header is checked before memory is taken for anything else: every byte of the file belongs to one tensor. Where
/// the metadata have the name of a tensor in the file as their text, as `safetensors.torch.save_model` notes of weights
/// that are tied, `state` has that tensor under both names; but for the text under "format", and names that tensors
/// in the file have themselves.
/// @throws c10::ValueError if `file` is not a file, or no safetensors file, or is cut or damaged; it says where.
/// @throws c10::ValueError that names the tensor, if its dtype is one that LibTorch does not have.
/// @code
/// packseq::nn::write_safetensors("lstm.safetensors", packseq::nn::state_dict(*lstm), {{"epoch", "3"}});
/// const auto [state, metadata] = packseq::nn::read_safetensors("lstm.safetensors");
/// state["weight_ih_l0"];   // [20, 4]
/// metadata.at("epoch");    // "3"
/// @endcode
PACKSEQ_EXPORT Safetensors read_safetensors(const std::filesystem::path& file);

/// Writes a safetensors file, the same to the last byte as `safetensors.torch.save_model` and `save_file` in Python do
/// (where there are several texts in `metadata`, these come in the order of their names, and there in any).
///
/// Any view goes in, on any device, and is written contiguous. Tensors that are the same memory are tied: they are
/// written once, under the name that is first in the alphabet, and `metadata` note the others. Tensors that overlap in
/// another way are written each with its own numbers. The file is replaced as a whole, as by `write_state_dict`.
/// @throws c10::ValueError that names the tensor, if it is undefined, sparse, quantized or without numbers, of more
///   than 64 dimensions or a dtype that the format does not have (`complex128`), or called "__metadata__".
/// @throws c10::ValueError if a name or text is not UTF-8; if `metadata` has a text under the name of a tied tensor; if
///   the header would be beyond 100 MB.
/// @throws std::runtime_error that names file and reason, if it cannot be written, or is there and is no regular file.
PACKSEQ_EXPORT void write_safetensors(const std::filesystem::path& file, const StateDict& state,
                                      const std::map<std::string, std::string>& metadata = {});

}  // namespace packseq::nn
