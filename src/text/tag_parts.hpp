#pragma once

#include <optional>
#include <string_view>

#include "packseq/export.hpp"
#include "packseq/text/tag_scheme.hpp"

namespace packseq::detail {

/// A tag, taken apart.
struct TagParts {
  char letter = 'O';
  std::string_view type = {};
};

/// Takes a tag of this scheme apart, or of any scheme.
/// @throws std::invalid_argument if it is no such tag.
PACKSEQ_EXPORT TagParts parts_of_tag(std::string_view tag, std::optional<TagScheme> scheme);

}  // namespace packseq::detail
