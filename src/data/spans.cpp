#include "data/spans.hpp"

namespace packseq::data::detail {
namespace {

constexpr bool is_one_of(char prefix, std::string_view prefixes) {
  return prefixes.find(prefix) != std::string_view::npos;
}

bool continues(Tag before, Tag tag) {
  return is_one_of(tag.prefix, "IE") && is_one_of(before.prefix, "BI") && tag.label == before.label;
}

/// Whether a tag that was not reached from a span's beginning is one.
bool begins(Tag before, Tag tag, SpanCounting counting) {
  switch (counting) {
    case SpanCounting::lenient:
      return tag.prefix != 'O';
    case SpanCounting::strict_iob1:
      if (tag.prefix == 'I') return before.prefix == 'B' || !continues(before, tag);
      return tag.prefix == 'B' && before.prefix != 'O' && before.label == tag.label;
    case SpanCounting::strict_iob2:
      return tag.prefix == 'B';
    case SpanCounting::strict_iobes:
      return is_one_of(tag.prefix, "BS");
  }
  return false;
}

/// Whether a span can end between these two, of which the second does not continue it.
bool ends(Tag last, Tag behind, SpanCounting counting) {
  switch (counting) {
    case SpanCounting::strict_iob1:
      return last.prefix != 'B' || behind.prefix != 'B' || last.label == behind.label;
    case SpanCounting::strict_iobes:
      return is_one_of(last.prefix, "ES");
    default:
      return true;
  }
}

}  // namespace

std::string_view known_prefixes(SpanCounting counting) {
  return counting == SpanCounting::lenient || counting == SpanCounting::strict_iobes ? "OBIES" : "OBI";
}

std::vector<Span> spans_of(std::span<const Tag> tags, SpanCounting counting) {
  std::vector<Span> spans;
  Tag before;
  for (std::size_t begin = 0, end = 0; begin < tags.size(); before = tags[end - 1], begin = end) {
    end = begin + 1;
    if (!begins(before, tags[begin], counting)) continue;
    while (end < tags.size() && continues(tags[end - 1], tags[end])) ++end;
    const Tag behind = end < tags.size() ? tags[end] : Tag();
    if (ends(tags[end - 1], behind, counting)) spans.push_back({begin, end, tags[begin].label});
  }
  return spans;
}

}  // namespace packseq::data::detail
