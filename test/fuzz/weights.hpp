#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <optional>
#include <string>

#include "file.hpp"
#include "packseq/nn/state_dict.hpp"

namespace packseq::fuzz {

/// The numbers of a tensor, each looked at: none may lie outside of its memory. Views of a few may be huge.
inline std::optional<at::Tensor> bits(const at::Tensor& tensor) {
  if (tensor.numel() > 10'000) return {};
  return tensor.resolve_conj().resolve_neg().contiguous().flatten().view(at::kByte).clone();
}

/// What `action` reads of this file; none where it is refused, which must be with an error of ours, none of LibTorch's,
/// that names it.
template <class Action>
auto read_or_refused(const InputFile& file, const Action& action) -> std::optional<decltype(action())> {
  try {
    return action();
  } catch (const c10::ValueError& error) {
    const std::string message = error.what_without_backtrace();
    require(message.find(file.path().string()) != std::string::npos, "an error does not name the file");
    return {};
  }
}

}  // namespace packseq::fuzz
