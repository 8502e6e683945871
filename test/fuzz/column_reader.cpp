// Any bytes are a column file: both passes over it read the same sentences, whose words and labels fit each other and
// are in the file; or an error names the file.

#include "packseq/data/column_reader.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "file.hpp"
#include "packseq/text/tokenizer.hpp"

namespace {

using packseq::data::ColumnFormat;
using packseq::data::ColumnReader;
using packseq::data::Sentence;
using packseq::data::TokenColumns;

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  packseq::split_lines(text, [&](std::string_view line) { lines.emplace_back(line); });
  return lines;
}

void check(const Sentence& sentence, const TokenColumns& columns, std::string_view content, bool is_as_it_was) {
  using packseq::fuzz::require;
  const auto words = lines_of(sentence.words);
  const auto labels = lines_of(sentence.labels);
  require(!words.empty(), "a sentence has no word");
  require(labels.size() == (columns.label ? words.size() : 0), "words and labels differ in number");
  const auto lines_in = [](std::string_view text) {
    return text.empty() ? 0 : static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  };
  require(lines_in(sentence.words) == words.size(), "a word is empty");
  require(lines_in(sentence.labels) == labels.size(), "a label is empty");
  for (const auto& word : words) {
    require(word.find('\t') == std::string::npos, "a word holds a tab");
    require(!is_as_it_was || content.find(word) != std::string_view::npos, "a word is not in the file");
  }
  for (const auto& label : labels) {
    require(label.find_first_of(" \t\v\f\r") == std::string::npos, "a label holds a blank");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace packseq;
  static const fuzz::InputFile file;
  fuzz::Input input(data, size);
  TokenColumns columns;
  constexpr ColumnFormat formats[] = {ColumnFormat::plain, ColumnFormat::conll_u, ColumnFormat::conll_2012};
  columns.format = formats[input.below(3)];
  const std::int64_t first = columns.format == ColumnFormat::conll_u ? 2 : 1;
  columns.word = first + input.below(3);
  if (input.flag()) columns.label = first + (columns.word - first + 1 + input.below(2)) % 3;
  DocumentReaderOptions text;
  if (input.flag()) text.invalid_utf8 = InvalidUtf8::replace;
  if (input.flag()) text.max_document_bytes = 1 + input.below(64);
  file.write(input.rest());
  fuzz::succeeds(file.path(), [&] {
    std::string all[2];
    for (auto& pass : all) {
      ColumnReader reader(file.path(), columns, text);
      while (const auto sentence = reader.next()) {
        check(*sentence, columns, input.rest(), text.invalid_utf8 == InvalidUtf8::refuse);
        pass += std::to_string(reader.line()) + '\n';
        pass.append(sentence->words).append(1, '\0').append(sentence->labels).append(1, '\0');
      }
    }
    fuzz::require(all[0] == all[1], "the second pass reads something else");
  });
  return 0;
}
