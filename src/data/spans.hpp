#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "packseq/data/span_metrics.hpp"

namespace packseq::data::detail {

/// A tag of a token: 'O', or what it is in a span of a label.
struct Tag {
  char prefix = 'O';
  std::size_t label = 0;  ///< A number; of no meaning for 'O'.
};

/// A run of tokens that mean one thing.
struct Span {
  std::size_t begin;
  std::size_t end;  ///< The token behind the last.
  std::size_t label;
  bool operator==(const Span&) const = default;
};

/// How many spans there are, as in `SpanScore`.
struct SpanCounts {
  std::int64_t predicted = 0;
  std::int64_t support = 0;
  std::int64_t correct = 0;
};

/// What the prefixes are that a counting knows: "OBI".
std::string_view known_prefixes(SpanCounting counting);

/// The spans of a row of tags, in order; no two have a token in common.
std::vector<Span> spans_of(std::span<const Tag> tags, SpanCounting counting);

}  // namespace packseq::data::detail
