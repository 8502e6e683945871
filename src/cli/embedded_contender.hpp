#pragma once

#include <string>

#include "cli/contender.hpp"

namespace packseq::cli {

/// packseq's modules that are an embedding and its network, as contenders whose names begin with `name`: "+dedup"
/// multiplies each distinct word of a batch once; "+shared" computes each beginning that documents have in common once,
/// too; "+frozen" multiplies words once for good.
Contenders make_embedded_contenders(const std::string& name, Model& model, const Corpus& corpus, const Batches& batches,
                                    engine::Precision precision);

}  // namespace packseq::cli
