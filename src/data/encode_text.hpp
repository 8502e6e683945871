#pragma once

#include <optional>
#include <span>

#include "packseq/data/documents.hpp"
#include "packseq/data/text_reader.hpp"

namespace packseq::data::detail {

/// The ids of the documents' tokens and, if `labels` is set, of their labels or those of their tokens. Refuses, with
/// file and line, what has no id, and documents that have labels where `labels` is not set, or none where it is.
Documents encode_text(std::span<const TextDocument> documents, const Vocab& vocab, const std::optional<Vocab>& labels);

}  // namespace packseq::data::detail
