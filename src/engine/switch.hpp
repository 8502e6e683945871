#pragma once

#include <atomic>

namespace packseq::engine {

/// Whether LibTorch's operators use the fused engine: one for the whole process, however many copies of packseq are in
/// it, as where several of its libraries link packseq statically.
struct Switch {
  std::atomic<bool> is_installed = false;
  std::atomic<int> guards = 0;
};

/// The switch, unless no copy has asked for it yet.
Switch* find_switch() noexcept;

/// The switch. It is that of the copy that asks first; only then, and only there, `register_kernels` is called, for the
/// life of the process: the library that holds this copy stays loaded, even if it is closed.
Switch& process_switch(void (*register_kernels)());

}  // namespace packseq::engine
