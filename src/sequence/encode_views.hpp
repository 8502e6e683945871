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

/// How documents are encoded.
struct EncodeViews {
  Tokenizer tokenizer;         ///< Splits them; if it is empty, each of their lines is a token, as in `split_lines`.
  DocumentPlace place;         ///< Tells where an unknown token is,
  const char* token = "word";  ///< and this, what.
};

/// `packseq::encode` for documents that belong to anyone.
Jagged encode_views(std::span<const std::string_view> documents, const Vocab& vocab, const EncodeViews& how);

}  // namespace packseq::detail
