#include "packseq/sequence/encode.hpp"

#include <c10/util/Exception.h>

#include <cstdint>

#include "sequence/layout.hpp"

namespace packseq {

Jagged encode(const std::vector<std::string>& documents, const Vocab& vocab) {
  TORCH_CHECK_VALUE(!documents.empty(), "encode: documents is empty: a batch has at least one document");
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> lengths;
  lengths.reserve(documents.size());
  std::size_t begin = 0;  // of the current document in ids
  const TokenSink append = [&](std::string_view token) {
    const auto id = vocab.find(token);
    TORCH_CHECK_VALUE(id || vocab.unknown_id(), "encode: unknown word '", token, "' in documents[", lengths.size(),
                      "], token ", ids.size() - begin, ": build the vocabulary on it, or set VocabOptions::unknown");
    ids.push_back(id ? *id : *vocab.unknown_id());
  };
  for (const std::string& document : documents) {
    vocab.tokenizer()(document, append);
    lengths.push_back(static_cast<std::int64_t>(ids.size() - begin));
    begin = ids.size();
  }
  return Jagged::from_values(detail::to_tensor(ids), detail::to_tensor(lengths));
}

}  // namespace packseq
