#include "packseq/text/tag_scheme.hpp"

#include <stdexcept>
#include <string>

namespace packseq {
namespace {

/// A tag, taken apart. What is before and behind a document is outside of all spans.
struct Tag {
  char letter = 'O';
  std::string_view type = {};
};

std::string_view letters_of(TagScheme scheme) { return scheme == TagScheme::iobes ? "OBIES" : "OBI"; }

std::string_view name_of(TagScheme scheme) {
  return scheme == TagScheme::iob1 ? "IOB1" : scheme == TagScheme::iob2 ? "IOB2" : "IOBES";
}

Tag parsed(TagScheme scheme, std::string_view tag) {
  const std::string_view letters = letters_of(scheme);
  const bool has_letter = !tag.empty() && letters.find(tag[0]) != std::string_view::npos;
  const bool has_type = tag.size() > 2 && tag[1] == '-' && tag[0] != 'O';
  if (has_letter && has_type) return {tag[0], tag.substr(2)};
  if (has_letter && tag.size() == 1) return {tag[0]};
  throw std::invalid_argument("the tag \"" + std::string(tag) + "\" is not of the scheme " +
                              std::string(name_of(scheme)) + ": it must be \"O\", or one of the letters " +
                              std::string(letters.substr(1)) + ", alone or with \"-\" and a type behind it");
}

/// Whether a span goes on behind `tag`, or may do so.
bool goes_on_after(const Tag& tag) { return tag.letter == 'B' || tag.letter == 'I'; }

bool goes_on_with(TagScheme scheme, const Tag& tag) {
  return tag.letter == 'E' || (tag.letter == 'I' && scheme != TagScheme::iob1);
}

}  // namespace

bool may_follow(TagScheme scheme, std::optional<std::string_view> previous, std::optional<std::string_view> next) {
  const Tag before = previous ? parsed(scheme, *previous) : Tag();
  const Tag after = next ? parsed(scheme, *next) : Tag();
  const bool is_same_type = goes_on_after(before) && before.type == after.type;
  if (scheme == TagScheme::iob1) return after.letter != 'B' || is_same_type;
  if (goes_on_with(scheme, after)) return is_same_type;
  return scheme == TagScheme::iob2 || !goes_on_after(before);
}

}  // namespace packseq
