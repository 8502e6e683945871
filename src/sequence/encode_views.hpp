#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "packseq/sequence/jagged.hpp"
#include "packseq/text/vocab.hpp"

namespace packseq::detail {

/// Where the document with this number is, in the words of an error message.
using DocumentPlace = std::function<std::string(std::size_t document)>;

/// `packseq::encode` for documents that belong to anyone; an error says by `place` where an unknown word is.
Jagged encode_views(std::span<const std::string_view> documents, const Vocab& vocab, const DocumentPlace& place);

}  // namespace packseq::detail
