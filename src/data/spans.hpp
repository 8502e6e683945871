#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "packseq/text/tag_scheme.hpp"

namespace packseq::data::detail {

/// A tag of a token: 'O', or its part in a span of a type.
struct Tag {
  char letter = 'O';
  std::size_t type = 0;  ///< A number; of no meaning for 'O'.
};

/// A run of tokens that mean one thing.
struct Span {
  std::size_t begin;
  std::size_t end;  ///< The token behind the last.
  std::size_t type;
  bool operator==(const Span&) const = default;
};

/// How many spans there are, as in `SpanScore`.
struct SpanCounts {
  std::int64_t predicted = 0;
  std::int64_t support = 0;
  std::int64_t correct = 0;
};

/// The spans of a row of tags, in order, as `SpanMetrics` counts them; no two have a token in common.
std::vector<Span> spans_of(std::span<const Tag> tags, std::optional<TagScheme> scheme);

}  // namespace packseq::data::detail
