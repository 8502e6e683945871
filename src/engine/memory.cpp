#include "packseq/engine/memory.hpp"

#include "kernels/arena.hpp"

namespace packseq::engine {

void release_memory() noexcept { kernels::release_memory(); }

}  // namespace packseq::engine
