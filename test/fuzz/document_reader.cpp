// Any bytes are a text: its documents are those of a slow reader, or an error names the text.

#include <algorithm>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "file.hpp"
#include "packseq/text/document_reader.hpp"
#include "packseq/text/tokenizer.hpp"
#include "text/utf8.hpp"

namespace packseq::fuzz {
namespace {

using Documents = std::vector<std::string>;

/// Nothing if the text is refused.
std::optional<Documents> read(std::string_view text, const DocumentReaderOptions& options) {
  std::istringstream stream{std::string(text)};
  Documents documents;
  const bool whole = succeeds("input", [&] {
    DocumentReader reader(stream, "input", options);
    std::int64_t line = 0;
    while (const auto document = reader.next()) {
      require(reader.line() > line, "line() does not grow");
      line = reader.line();
      documents.emplace_back(*document);
    }
  });
  return whole ? std::optional(documents) : std::nullopt;
}

Documents read_slowly(std::string_view text, Split split) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  Documents documents;
  bool goes_on = false;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t\n\v\f\r") == std::string_view::npos) {
      goes_on = false;
    } else if (split == Split::paragraph && goes_on) {
      documents.back().append("\n").append(line);
    } else {
      documents.emplace_back(line);
      goes_on = true;
    }
  }
  return documents;
}

void check_tokenizers(const std::string& document) {
  std::string joined;
  split_characters(document, [&](std::string_view token) { joined += token; });
  require(joined == document, "the characters are not the document");
  for (const Tokenizer& tokenizer : {Tokenizer(split_whitespace), Tokenizer(split_words)}) {
    std::size_t size = 0;
    tokenizer(document, [&](std::string_view token) {
      require(!token.empty(), "a token is empty");
      size += token.size();
    });
    require(0 < size && size <= document.size(), "the tokens are longer than the document, or there is none");
  }
}

}  // namespace
}  // namespace packseq::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace packseq;
  fuzz::Input input(data, size);
  DocumentReaderOptions options{.split = input.flag() ? Split::paragraph : Split::line};
  if (const auto limit = input.byte()) options.max_document_bytes = limit;
  const auto text = input.rest();
  const auto exact = fuzz::read(text, options);
  options.invalid_utf8 = InvalidUtf8::replace;
  const auto replaced = fuzz::read(text, options);
  if (exact) {
    fuzz::require(*exact == fuzz::read_slowly(text, options.split), "the documents are not those of a slow reader");
    fuzz::require(exact == replaced, "what is valid is replaced");
  }
  for (const std::string& document : replaced.value_or(fuzz::Documents())) {
    fuzz::require(detail::valid_utf8_prefix(document) == document.size(), "a document is not UTF-8");
    fuzz::require(document.size() <= static_cast<std::size_t>(options.max_document_bytes), "a document is too long");
    fuzz::check_tokenizers(document);
  }
  return 0;
}
