#pragma once

#include "packseq/data/documents.hpp"

namespace packseq::data::detail {

/// A batch for a process that has no document of its own: one without tokens, otherwise such as these, whose label is
/// to be ignored.
Documents nothing_to_learn(const Documents& like);

}  // namespace packseq::data::detail
