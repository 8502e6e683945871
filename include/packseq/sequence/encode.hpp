#pragma once

#include <string>
#include <vector>

#include "packseq/export.hpp"
#include "packseq/sequence/jagged.hpp"
#include "packseq/text/vocab.hpp"

namespace packseq {

/// The token ids of each document: values int64 [N] on the CPU. A document without tokens is an empty sequence.
///
/// Many documents are encoded on as many threads as LibTorch uses (`at::set_num_threads`), and each of them calls the
/// vocabulary's tokenizer. An exception of it is passed on; of several, that of the first document.
/// @throws c10::ValueError if `documents` is empty.
/// @throws c10::ValueError that names word, document and position, if a word is unknown and `vocab` has no unknown
///   token.
/// @code
/// const std::vector<std::string> documents = {"on your mark", "get set", "go"};
/// const auto vocab = packseq::Vocab::build(documents);
/// const auto ids = packseq::encode(documents, vocab);   // values 1 2 3 4 5 6, lengths 3 2 1
/// @endcode
PACKSEQ_EXPORT Jagged encode(const std::vector<std::string>& documents, const Vocab& vocab);

}  // namespace packseq
