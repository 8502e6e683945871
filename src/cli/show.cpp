#include "cli/show.hpp"

#include <algorithm>
#include <stdexcept>

#include "cli/picture.hpp"

namespace packseq::cli {
namespace {

std::vector<std::string> documents_of(const ShowOptions& options) {
  if (!options.file) {
    std::vector<std::string> documents = {"on your mark", "get set", "go"};
    documents.resize(std::min(documents.size(), options.documents));
    return documents;
  }
  TextInput input(*options.file, options.text);
  std::vector<std::string> documents;
  while (documents.size() < options.documents) {
    const auto document = input.next();
    if (!document) break;
    documents.emplace_back(*document);
  }
  if (documents.empty()) throw std::runtime_error(text_name(*options.file) + ": no documents: all is empty or blank");
  return documents;
}

}  // namespace

std::string show(const ShowOptions& options, const Terminal& terminal) {
  const Picture picture(documents_of(options), options.text.tokenizer, terminal);
  return picture.vocabulary() + "\n" + picture.padded() + "\n" + picture.packed() + "\n" + picture.operations();
}

}  // namespace packseq::cli
