// What Python loads with torch.ops.load_library, and the only file of packseq that does something when it is loaded.
// The library itself registers nothing of its own accord: objects that nobody calls are left out of static libraries.
#include <c10/util/env.h>
#include <torch/library.h>

#include <vector>

#include "packseq/engine/freeze.hpp"
#include "packseq/engine/install.hpp"
#include "packseq/engine/memory.hpp"

TORCH_LIBRARY(packseq, library) {
  library.def("install", [] { packseq::engine::install(); });
  library.def("uninstall", [] { packseq::engine::uninstall(); });
  library.def("installed", [] { return packseq::engine::installed(); });
  library.def("freeze", [](const std::vector<at::Tensor>& weights) { packseq::engine::freeze(weights); });
  library.def("unfreeze", [](const std::vector<at::Tensor>& weights) { packseq::engine::unfreeze(weights); });
  library.def("frozen", [](const std::vector<at::Tensor>& weights) { return packseq::engine::frozen(weights); });
  library.def("release_memory", [] { packseq::engine::release_memory(); });
  // For programs that are not to be changed any further.
  if (c10::utils::check_env("PACKSEQ_INSTALL_ENGINE").value_or(false)) packseq::engine::install();
}
