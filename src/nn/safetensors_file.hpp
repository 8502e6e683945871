#pragma once

#include <cstdint>
#include <filesystem>

#include "packseq/nn/safetensors.hpp"

namespace packseq::nn::detail {

/// Reads a safetensors file of `size` bytes.
/// @throws Refusal that says what is wrong with it.
Safetensors read_safetensors_file(const std::filesystem::path& file, std::uint64_t size);

}  // namespace packseq::nn::detail
