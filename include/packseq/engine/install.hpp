#pragma once

#include "packseq/export.hpp"

namespace packseq::engine {

/// Puts the fused engine under LibTorch's own operators for padded and packed batches: from now on, in all threads of
/// this process, `forward` and `forward_with_packed_input` of `torch::nn::LSTM`, GRU and RNN, and every other program
/// that runs them (TorchScript, Python) use it where it applies (see `supports`), and LibTorch's own code elsewhere.
///
/// Padded, packed and step by step, the same numbers give the same bits; but a state of BFloat16, as an LSTM's under
/// autocast, is rounded wherever it leaves a call. Arguments that do not fit each other are refused before either runs,
/// with a message that names the argument, its value and what it must be; the exception is LibTorch's own, `c10::Error`
/// (RuntimeError in Python). Outputs have the strides that LibTorch gives them, and may be changed in place before the
/// backward pass, as long as that raises their version: what writes to their memory otherwise, through `.data()`, NumPy
/// or DLPack, spoils its gradients.
///
/// Under autocast to bfloat16 the engine runs networks of Float and BFloat16 alike. Products round their factors to
/// bfloat16, and results have the dtypes that LibTorch gives a padded batch, packed as well, whatever the lengths:
/// BFloat16 of an LSTM or RNN; of a GRU that of its initial state, or of the data where it has none; cell states
/// beside a projection have that of theirs. (LibTorch's own packed LSTM gives Float where lengths differ.) Weights
/// stay as they are: gradients have their dtype, frozen ones are found, and autocast's cache of rounded weights gets
/// none of them. As without autocast, data and weights may not be changed in place before the backward pass;
/// LibTorch's own code keeps rounded copies of them.
///
/// Without this call nothing changes. The first call registers the engine with LibTorch's dispatcher, for the life of
/// the process; from then on these functions set a flag, and may be called from many threads at once, also while others
/// run networks.
///
/// Where several libraries of a process have a copy of packseq each, since they link it statically, these functions
/// switch the same in all of them: the engine of the copy that was first installed. Weights are frozen, and memory is
/// kept, for a copy alone. The library with the first copy stays loaded, even after `dlclose`.
/// @code
/// torch::nn::LSTM lstm(4, 5);
/// packseq::engine::install();
/// packseq::engine::installed();                // true
/// lstm->forward_with_packed_input(embedded);   // runs in the fused engine
/// lstm->forward(torch::rand({3, 2, 4}));       // so does a padded batch, [T, B, I]
/// packseq::engine::uninstall();
/// lstm->forward_with_packed_input(embedded);   // runs in LibTorch's own code
/// @endcode
PACKSEQ_EXPORT void install();

/// Takes back what `install` did. Networks that run meanwhile finish as they began.
PACKSEQ_EXPORT void uninstall();

/// Whether LibTorch's operators use the fused engine now: it is installed, or there is a guard.
PACKSEQ_EXPORT bool installed() noexcept;

/// LibTorch's operators use the fused engine, in all threads, as long as one of these exists.
/// @code
/// torch::nn::LSTM lstm(4, 5);
/// {
///   const packseq::engine::InstallGuard guard;
///   lstm->forward_with_packed_input(embedded);   // runs in the fused engine
/// }
/// lstm->forward_with_packed_input(embedded);     // runs in LibTorch's own code
/// @endcode
class PACKSEQ_EXPORT InstallGuard {
 public:
  InstallGuard();
  ~InstallGuard();
  InstallGuard(const InstallGuard&) = delete;
  InstallGuard& operator=(const InstallGuard&) = delete;
};

}  // namespace packseq::engine
