// Any bytes are a file of documents, with or without columns: both passes read the same, or an error names the file.

#include "packseq/data/text_reader.hpp"

#include <string>
#include <vector>

#include "file.hpp"

namespace {

using packseq::data::LabelSource;
using packseq::data::TextDocument;
using packseq::data::TextReader;

std::vector<TextDocument> read(TextReader& reader) {
  std::vector<TextDocument> documents;
  while (const auto document = reader.next()) documents.push_back(*document);
  return documents;
}

bool same(const TextDocument& a, const TextDocument& b) {
  return a.text == b.text && a.label == b.label && *a.file == *b.file && a.line == b.line;
}

void check(const TextDocument& document, LabelSource source, const std::string& file) {
  using packseq::fuzz::require;
  require(*document.file == file, "a document is of another file");
  require(source != LabelSource::none || document.label.empty(), "there is a label");
  require(source != LabelSource::file || document.label == file, "the label is not the file");
  if (source != LabelSource::column) return;
  require(!document.label.empty(), "the label is empty");
  require((document.text + document.label).find_first_of("\t\n") == std::string::npos, "a column holds a tab");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace packseq;
  static const fuzz::InputFile file;
  fuzz::Input input(data, size);
  data::TextReaderOptions options;
  options.label = static_cast<LabelSource>(input.below(3));
  options.label_column = 1 + input.below(4);
  options.document_column = 1 + (options.label_column + input.below(3)) % 4;
  if (options.label != LabelSource::column && input.flag()) options.text.split = Split::paragraph;
  if (input.flag()) options.text.invalid_utf8 = InvalidUtf8::replace;
  file.write(input.rest());
  fuzz::succeeds(file.path(), [&] {
    TextReader reader({file.path()}, options);
    const auto documents = read(reader);
    for (const auto& document : documents) check(document, options.label, file.path());
    reader.rewind();
    const auto again = read(reader);
    fuzz::require(std::equal(documents.begin(), documents.end(), again.begin(), again.end(), same),
                  "the second pass reads something else");
  });
  return 0;
}
