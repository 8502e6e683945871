#pragma once

#include <functional>
#include <string_view>

#include "packseq/export.hpp"

namespace packseq {

/// Receives the tokens of a document one at a time; a view is valid only during its call.
using TokenSink = std::function<void(std::string_view token)>;

/// Splits a document: calls `emit` once for each token, in reading order.
///
/// Any callable with these parameters is a tokenizer; a subword or linguistic one is plugged in as a lambda:
/// @code
/// const packseq::Tokenizer by_comma = [](std::string_view document, const packseq::TokenSink& emit) {
///   while (true) {
///     const auto comma = document.find(',');
///     emit(document.substr(0, comma));
///     if (comma == std::string_view::npos) break;
///     document.remove_prefix(comma + 1);
///   }
/// };
/// @endcode
using Tokenizer = std::function<void(std::string_view document, const TokenSink& emit)>;

/// The default tokenizer: a token is a run of characters without ASCII white space. Bytes are kept as they are.
///
/// @code
/// packseq::split_whitespace(" get\tset ", [](std::string_view token) { std::cout << token << '\n'; });
/// @endcode
PACKSEQ_EXPORT void split_whitespace(std::string_view document, const TokenSink& emit);

/// Words in lower case, and punctuation: "Don't stop!" is "don", "'", "t", "stop", "!". White space is dropped.
///
/// It knows ASCII alone: each ASCII punctuation character is a token, a run of other characters is a word, and the
/// letters A ... Z become small. Characters beyond ASCII are parts of words and stay as they are: "É" is no "é", and
/// "«" or a no-break space separates nothing.
/// @code
/// const auto vocab = packseq::Vocab::build({"Don't stop!"}, {.tokenizer = packseq::split_words});
/// vocab.id("stop");   // 4
/// @endcode
PACKSEQ_EXPORT void split_words(std::string_view document, const TokenSink& emit);

/// Each code point of UTF-8 is a token, white space included: the tokens, end to end, are the document. A byte that
/// is no part of valid UTF-8 is a token of its own.
/// @code
/// const auto vocab = packseq::Vocab::build({"été"}, {.tokenizer = packseq::split_characters});
/// vocab.id("é");   // 1
/// @endcode
PACKSEQ_EXPORT void split_characters(std::string_view document, const TokenSink& emit);

/// Each line that is not empty is a token, blanks and all; lines end in "\n". The tokens of a column
/// file are kept in this form.
/// @code
/// packseq::split_lines("10 000\nmiles", [](std::string_view token) { std::cout << token << '\n'; });
/// @endcode
PACKSEQ_EXPORT void split_lines(std::string_view document, const TokenSink& emit);

}  // namespace packseq
