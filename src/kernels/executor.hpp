#pragma once

#include <cstddef>
#include <functional>

namespace packseq::kernels {

/// Work on the parts [begin, end).
using Work = std::function<void(std::size_t begin, std::size_t end)>;

/// Who runs the work of a pass: calls `work` on ranges that make up 0 ... parts - 1 and returns when all have returned.
///
/// The ranges run at the same time, each on a thread of its own, or there is but one of them: work may wait for other
/// work.
using Executor = std::function<void(std::size_t parts, const Work& work)>;

}  // namespace packseq::kernels
