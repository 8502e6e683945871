// What Python loads with torch.ops.load_library, and the only file of packseq that does something when it is loaded.
// The library itself registers nothing of its own accord: objects that nobody calls are left out of static libraries.
#include <c10/util/env.h>
#include <torch/library.h>

#include "packseq/engine/install.hpp"

TORCH_LIBRARY(packseq, library) {
  library.def("install", [] { packseq::engine::install(); });
  library.def("uninstall", [] { packseq::engine::uninstall(); });
  library.def("installed", [] { return packseq::engine::installed(); });
  // For programs that are not to be changed any further.
  if (c10::utils::check_env("PACKSEQ_INSTALL_ENGINE").value_or(false)) packseq::engine::install();
}
