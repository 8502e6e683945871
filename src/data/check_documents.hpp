#pragma once

#include <cstddef>
#include <optional>
#include <ostream>

#include "packseq/data/documents.hpp"

namespace packseq::data::detail {

/// What a part of documents is called; becomes a text only where there is something to say of it.
struct PartName {
  const char* name;
  std::optional<std::size_t> index = {};
};

inline std::ostream& operator<<(std::ostream& out, const PartName& part) {
  out << part.name;
  return part.index ? out << '[' << *part.index << ']' : out;
}

/// Calls `check(part, name)` for all that has a row for each token, but the sequences.
template <class Check>
void for_each_part(const Documents& documents, const Check& check) {
  if (documents.token_labels) check(*documents.token_labels, PartName{"token_labels"});
  for (std::size_t i = 0; i < documents.features.size(); ++i) check(documents.features[i], PartName{"features", i});
}

/// Refuses parts of documents that do not belong together, all but the lengths of the single documents.
void check_parts(const char* function, const Documents& documents);

/// Refuses token labels or features of these documents that are not as many as their tokens; once the parts are known
/// to belong together.
void check_lengths(const char* function, const Documents& documents, at::ArrayRef<std::size_t> indices);

/// Both, for all documents.
void check_documents(const char* function, const Documents& documents);

}  // namespace packseq::data::detail
