#pragma once

#include <cstddef>

#include "packseq/data/documents.hpp"

namespace packseq::data::detail {

/// Refuses parts of documents that do not belong together, all but the lengths of the single documents.
void check_parts(const char* function, const Documents& documents);

/// Refuses token labels or features of these documents that are not as many as their tokens; once the parts are known
/// to belong together.
void check_lengths(const char* function, const Documents& documents, at::ArrayRef<std::size_t> indices);

/// Both, for all documents.
void check_documents(const char* function, const Documents& documents);

}  // namespace packseq::data::detail
