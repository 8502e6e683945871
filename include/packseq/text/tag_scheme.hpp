#pragma once

#include <optional>
#include <string_view>

#include "packseq/export.hpp"

namespace packseq {

/// How the tags of tokens say where spans begin and end: "B-PER", "I-PER", "O". The part behind the first "-" is the
/// span's type; tags without one are of one type of their own. A scheme says what an `nn::CRF` may predict, and what
/// `data::SpanMetrics` counts.
enum class TagScheme {
  iob1,   ///< "I" inside a span, "B" only where one begins right after another of the same type; "O" outside.
  iob2,   ///< "B" where a span begins, "I" inside; "O" outside. Also called BIO.
  iobes,  ///< "B" where a span begins, "I" inside, "E" at its end, "S" for one of a single token; "O" outside.
};

/// Whether a scheme lets the tag `next` follow the tag `previous`; nothing stands for what is before a document's first
/// token and behind its last one. From the definitions in Ramshaw and Marcus (1995) and Ratinov and Roth (2009).
/// @throws std::invalid_argument if a tag is not of the scheme: it must be "O", or one of the scheme's other letters,
///   alone or with "-" and a type behind it.
/// @code
/// using packseq::TagScheme;
/// packseq::may_follow(TagScheme::iob2, "B-PER", "I-PER");        // true
/// packseq::may_follow(TagScheme::iob2, "O", "I-PER");            // false
/// packseq::may_follow(TagScheme::iob2, std::nullopt, "I-PER");   // false: a document begins
/// packseq::may_follow(TagScheme::iobes, "B-PER", std::nullopt);  // false: it ends inside a span
/// @endcode
PACKSEQ_EXPORT bool may_follow(TagScheme scheme, std::optional<std::string_view> previous,
                               std::optional<std::string_view> next);

}  // namespace packseq
