#include "packseq/text/tokenizer.hpp"

#include <algorithm>
#include <string>

#include "text/ascii.hpp"
#include "text/utf8.hpp"

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

void split_words(std::string_view document, const TokenSink& emit) {
  std::string lower_case;
  const auto emit_word = [&](std::string_view word) {
    if (std::none_of(word.begin(), word.end(), detail::is_upper)) return emit(word);
    lower_case.assign(word);
    std::transform(word.begin(), word.end(), lower_case.begin(), detail::to_lower);
    emit(lower_case);
  };
  const auto ends_word = [](char c) { return detail::is_space(c) || detail::is_punctuation(c); };
  const auto* const end = document.data() + document.size();
  const auto* token = std::find_if_not(document.data(), end, detail::is_space);
  while (token != end) {
    const auto* token_end = std::find_if(token, end, ends_word);
    if (token_end == token) {
      emit({token, ++token_end});
    } else {
      emit_word({token, token_end});
    }
    token = std::find_if_not(token_end, end, detail::is_space);
  }
}

void split_characters(std::string_view document, const TokenSink& emit) {
  while (!document.empty()) {
    const detail::Utf8Head head = detail::utf8_head(document);
    const std::size_t size = head.valid ? head.size : 1;
    emit(document.substr(0, size));
    document.remove_prefix(size);
  }
}

void split_lines(std::string_view document, const TokenSink& emit) {
  while (!document.empty()) {
    const std::size_t end = std::min(document.find('\n'), document.size());
    if (end > 0) emit(document.substr(0, end));
    document.remove_prefix(std::min(end + 1, document.size()));
  }
}

}  // namespace packseq
