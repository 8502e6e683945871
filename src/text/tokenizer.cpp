#include "packseq/text/tokenizer.hpp"

#include <algorithm>

#include "text/whitespace.hpp"

namespace packseq {

void split_whitespace(std::string_view document, const TokenSink& emit) {
  const auto* const end = document.data() + document.size();
  const auto* token = std::find_if_not(document.data(), end, detail::is_space);
  while (token != end) {
    const auto* const token_end = std::find_if(token, end, detail::is_space);
    emit({token, token_end});
    token = std::find_if_not(token_end, end, detail::is_space);
  }
}

}  // namespace packseq
