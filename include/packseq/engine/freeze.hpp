#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "packseq/export.hpp"

namespace packseq::engine {

/// Freezes weights for inference: the fused engine packs each once, in the first pass that multiplies with it, and
/// later passes, also of other networks, find it packed. Worth most where a pass is short: a few steps of a few
/// documents. Results are the same to the last bit.
///
/// `weights` are float, double or bfloat16 on the CPU, as `module.parameters()`; others than those of recurrent
/// networks may be among them. The packed form takes as much memory again; that for products of bfloat16 (see
/// `Precision`) two bytes a number where the CPU multiplies bfloat16 itself, else four. Each is made where a pass asks
/// for it. Freezing keeps no weight alive.
///
/// A weight stays frozen until a pass through the engine or `packseq::nn` records gradients of the network's weights,
/// since training changes them; until it gets a gradient otherwise; or until it is changed or replaced. Changes are
/// seen where they raise the tensor's own version. Those through `.data()` do not, nor do optimizers with `fused=True`,
/// collectives, other tensors or processes that share its memory, and whatever changes tensors that were made in
/// inference mode: call `unfreeze` there. These functions may be called while networks run.
/// @throws c10::ValueError if a tensor is undefined, not dense on the CPU, or of another dtype.
/// @code
/// torch::nn::LSTM lstm(4, 5);
/// const packseq::engine::InstallGuard guard;
/// packseq::engine::freeze(lstm->parameters());
/// const torch::NoGradGuard no_grad;
/// lstm->forward_with_packed_input(embedded);        // packs, and so on for each batch
/// packseq::engine::frozen(lstm->parameters());      // true
/// packseq::engine::unfreeze(lstm->parameters());
/// @endcode
PACKSEQ_EXPORT void freeze(const std::vector<at::Tensor>& weights);

/// Takes back what `freeze` did, if it did.
PACKSEQ_EXPORT void unfreeze(const std::vector<at::Tensor>& weights);

/// Whether all of these weights are frozen, and have not changed since.
PACKSEQ_EXPORT bool frozen(const std::vector<at::Tensor>& weights);

}  // namespace packseq::engine
