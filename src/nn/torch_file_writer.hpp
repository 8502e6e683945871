#pragma once

#include <filesystem>

#include "packseq/nn/state_dict.hpp"

namespace packseq::nn::detail {

/// Replaces `file` by a zip archive with these tensors, as torch.save of a dict writes it.
/// @throws Refusal that names the key, if one is undefined or of a kind that is not written.
/// @throws std::runtime_error, naming file and reason, if the file cannot be written.
void write_torch_file(const std::filesystem::path& file, const StateDict& state);

}  // namespace packseq::nn::detail
