#pragma once

#include "packseq/text/vocab.hpp"

namespace packseq::detail {

/// `Vocab::build` of documents whose lines are their tokens, whatever `options.tokenizer`, which splits what the
/// vocabulary encodes later.
Vocab vocab_of_lines(DocumentSource& source, const VocabOptions& options);

}  // namespace packseq::detail
