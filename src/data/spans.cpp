#include "data/spans.hpp"

#include <string_view>

namespace packseq::data::detail {
namespace {

constexpr bool is_one_of(char letter, std::string_view letters) {
  return letters.find(letter) != std::string_view::npos;
}

bool continues(Tag before, Tag tag) {
  return is_one_of(tag.letter, "IE") && is_one_of(before.letter, "BI") && tag.type == before.type;
}

/// Whether a tag that was not reached from a span's beginning is one.
bool begins(Tag before, Tag tag, std::optional<TagScheme> scheme) {
  if (!scheme) return tag.letter != 'O';
  if (scheme == TagScheme::iobes) return is_one_of(tag.letter, "BS");
  if (scheme == TagScheme::iob2) return tag.letter == 'B';
  if (tag.letter == 'I') return before.letter == 'B' || !continues(before, tag);
  return tag.letter == 'B' && before.letter != 'O' && before.type == tag.type;
}

/// Whether a span can end between these two, of which the second does not continue it.
bool ends(Tag last, Tag behind, std::optional<TagScheme> scheme) {
  if (scheme == TagScheme::iobes) return is_one_of(last.letter, "ES");
  return scheme != TagScheme::iob1 || last.letter != 'B' || behind.letter != 'B' || last.type == behind.type;
}

}  // namespace

std::vector<Span> spans_of(std::span<const Tag> tags, std::optional<TagScheme> scheme) {
  std::vector<Span> spans;
  Tag before;
  for (std::size_t begin = 0, end = 0; begin < tags.size(); before = tags[end - 1], begin = end) {
    end = begin + 1;
    if (!begins(before, tags[begin], scheme)) continue;
    while (end < tags.size() && continues(tags[end - 1], tags[end])) ++end;
    const Tag behind = end < tags.size() ? tags[end] : Tag();
    if (ends(tags[end - 1], behind, scheme)) spans.push_back({begin, end, tags[begin].type});
  }
  return spans;
}

}  // namespace packseq::data::detail
