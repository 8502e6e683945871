// Any text is a tag or is refused, as its letters say; and any tags have spans, from which the tags come back where the
// scheme lets each follow the one before.

#include "packseq/text/tag_scheme.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "data/spans.hpp"
#include "input.hpp"

namespace {

using packseq::TagScheme;
using packseq::data::detail::Span;
using packseq::data::detail::spans_of;
using packseq::data::detail::Tag;
using packseq::fuzz::Input;
using packseq::fuzz::require;

constexpr TagScheme schemes[] = {TagScheme::iob1, TagScheme::iob2, TagScheme::iobes};

bool is_tag(const std::string& text, TagScheme scheme) {
  const std::string letters = scheme == TagScheme::iobes ? "BIES" : "BI";
  if (text == "O") return true;
  if (text.empty() || letters.find(text[0]) == std::string::npos) return false;
  return text.size() == 1 || (text.size() > 2 && text[1] == '-');
}

/// Nothing where one of them is no tag of the scheme.
std::optional<bool> follows(TagScheme scheme, const std::optional<std::string>& before,
                            const std::optional<std::string>& next) {
  try {
    return packseq::may_follow(scheme, before, next);
  } catch (const std::invalid_argument&) {
    return {};
  }
}

/// Two texts that may be none.
void check_texts(TagScheme scheme, const std::string& before, const std::string& next) {
  const bool are_tags = is_tag(before, scheme) && is_tag(next, scheme);
  require(follows(scheme, before, next).has_value() == are_tags, "what is no tag is one");
  require(follows(scheme, {}, next).has_value() == is_tag(next, scheme), "what is no tag is the first one");
  require(follows(scheme, before, {}).has_value() == is_tag(before, scheme), "what is no tag is the last one");
}

std::string text_of(Tag tag) {
  return tag.letter == 'O' || tag.type == 0 ? std::string(1, tag.letter)
                                            : std::string(1, tag.letter) + '-' + std::to_string(tag.type);
}

/// Whether the scheme allows the row of tags.
bool are_allowed(TagScheme scheme, const std::vector<Tag>& tags) {
  std::optional<std::string> before;
  for (const Tag tag : tags) {
    if (!follows(scheme, before, text_of(tag)).value()) return false;
    before = text_of(tag);
  }
  return follows(scheme, before, {}).value();
}

/// The letter of a token of a span, which a span of the same type may come right before.
char letter_of(TagScheme scheme, const Span& span, std::size_t token, bool is_behind_another) {
  const bool is_first = token == span.begin;
  if (scheme == TagScheme::iob1) return is_first && is_behind_another ? 'B' : 'I';
  if (scheme == TagScheme::iob2) return is_first ? 'B' : 'I';
  const bool is_last = token + 1 == span.end;
  if (is_first) return is_last ? 'S' : 'B';
  return is_last ? 'E' : 'I';
}

std::vector<Tag> tags_of(TagScheme scheme, const std::vector<Span>& spans, std::size_t tokens) {
  std::vector<Tag> tags(tokens);
  const Span* before = nullptr;
  for (const Span& span : spans) {
    const bool is_behind = before != nullptr && before->end == span.begin && before->type == span.type;
    for (std::size_t i = span.begin; i < span.end; ++i) tags[i] = {letter_of(scheme, span, i, is_behind), span.type};
    before = &span;
  }
  return tags;
}

void check_spans(const std::vector<Span>& spans, const std::vector<Tag>& tags) {
  std::size_t end = 0;
  for (const Span& span : spans) {
    require(end <= span.begin && span.begin < span.end && span.end <= tags.size(), "spans are not one after the other");
    for (end = span.begin; end < span.end; ++end) {
      require(tags[end].letter != 'O' && tags[end].type == span.type, "a token of a span has another type, or none");
    }
  }
}

bool same(const std::vector<Tag>& a, const std::vector<Tag>& b) {
  return std::ranges::equal(a, b, {}, text_of, text_of);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const TagScheme scheme = schemes[input.below(3)];
  const std::string letters = scheme == TagScheme::iobes ? "OBIES" : "OBI";
  std::vector<Tag> tags(input.below(std::size_t{16}));
  for (Tag& tag : tags) tag = {letters[input.below(letters.size())], input.place(3)};
  const auto spans = spans_of(tags, scheme);
  check_spans(spans, tags);
  check_spans(spans_of(tags, std::nullopt), tags);
  if (are_allowed(scheme, tags)) require(same(tags_of(scheme, spans, tags.size()), tags), "spans lose a tag");
  const auto from_spans = tags_of(scheme, spans, tags.size());
  require(are_allowed(scheme, from_spans) && spans_of(from_spans, scheme) == spans, "tags of spans are not allowed");
  const std::size_t length = input.below(std::size_t{8});
  const std::string rest(input.rest());
  check_texts(scheme, rest.substr(0, length), rest.substr(std::min(length, rest.size())));
  return 0;
}
