#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

namespace packseq::engine {

/// Whether LibTorch would record gradients of something that is computed from these, here and now.
bool records_gradients(at::TensorList inputs);

/// Whether LibTorch refuses to save one of these for backward. A function of its own would do so, too, but never free
/// its outputs.
bool has_inference_tensors(at::TensorList inputs);

/// The tensor, or a copy where LibTorch refuses to save it for backward; undefined stays so. For what has no gradient.
at::Tensor savable(const at::Tensor& tensor);

/// Whether gradients are such as the engine does not take: many as one, as `is_grads_batched` makes them, zeros without
/// memory, numbers whose sign is elsewhere, or that have forward-mode gradients.
bool are_beyond_the_engine(at::TensorList gradients);

/// The gradients of what `run` makes of the inputs by LibTorch's operators, which compute it once more: they can be
/// differentiated again, and be those of many directions at once. Undefined for inputs that need none;
/// `gradients` are undefined for results that nobody uses.
std::vector<at::Tensor> gradients_in_libtorch(
    std::vector<at::Tensor> inputs, const std::function<std::vector<at::Tensor>(const std::vector<at::Tensor>&)>& run,
    const std::vector<at::Tensor>& gradients);

}  // namespace packseq::engine
