#include "packseq/text/tag_scheme.hpp"

#include <stdexcept>
#include <string>

#include "text/tag_parts.hpp"

namespace packseq {
namespace {

using detail::TagParts;

std::string name_of(std::optional<TagScheme> scheme) {
  if (!scheme) return "IOB1, IOB2 or IOBES";
  return scheme == TagScheme::iob1   ? "the scheme IOB1"
         : scheme == TagScheme::iob2 ? "the scheme IOB2"
                                     : "the scheme IOBES";
}

/// Whether a span goes on behind `tag`, or may do so.
bool goes_on_after(const TagParts& tag) { return tag.letter == 'B' || tag.letter == 'I'; }

bool goes_on_with(TagScheme scheme, const TagParts& tag) {
  return tag.letter == 'E' || (tag.letter == 'I' && scheme != TagScheme::iob1);
}

}  // namespace

detail::TagParts detail::parts_of_tag(std::string_view tag, std::optional<TagScheme> scheme) {
  const std::string_view letters = scheme.value_or(TagScheme::iobes) == TagScheme::iobes ? "OBIES" : "OBI";
  const bool has_letter = !tag.empty() && letters.find(tag[0]) != std::string_view::npos;
  const bool has_type = tag.size() > 2 && tag[1] == '-' && tag[0] != 'O';
  if (has_letter && has_type) return {tag[0], tag.substr(2)};
  if (has_letter && tag.size() == 1) return {tag[0]};
  throw std::invalid_argument("the tag \"" + std::string(tag) + "\" is not of " + name_of(scheme) +
                              ": it must be \"O\", or one of the letters " + std::string(letters.substr(1)) +
                              ", alone or with \"-\" and a type behind it");
}

bool may_follow(TagScheme scheme, std::optional<std::string_view> previous, std::optional<std::string_view> next) {
  // What is before and behind a document is outside of all spans.
  const TagParts before = previous ? detail::parts_of_tag(*previous, scheme) : TagParts();
  const TagParts after = next ? detail::parts_of_tag(*next, scheme) : TagParts();
  const bool is_same_type = goes_on_after(before) && before.type == after.type;
  if (scheme == TagScheme::iob1) return after.letter != 'B' || is_same_type;
  if (goes_on_with(scheme, after)) return is_same_type;
  return scheme == TagScheme::iob2 || !goes_on_after(before);
}

}  // namespace packseq
