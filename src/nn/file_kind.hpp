#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace packseq::nn::detail {

/// How a file of weights is written.
enum class WeightFormat { torch, safetensors };

/// Tells by the first bytes of a file of `size` bytes how it is written.
/// @throws Refusal that says what it is and what to do, if it is no file of weights that is read.
WeightFormat weight_format(std::string_view head, std::uint64_t size);

struct WeightFile {
  WeightFormat format;
  std::uint64_t size;  ///< In bytes.
};

/// Looks at the begin of a file.
/// @throws Refusal that says what it is and what to do, if it is no file of weights that is read.
WeightFile look_at(const std::filesystem::path& file);

}  // namespace packseq::nn::detail
