// Any bytes are a line of JSON: its fields are those of a tree of all that it holds, or the line is refused.

#include <nlohmann/json.hpp>
#include <string>

#include "data/json_fields.hpp"
#include "input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace packseq;
  fuzz::Input input(data, size);
  const bool has_label = input.flag();
  const data::detail::JsonFields fields("text", has_label ? "label" : "");
  const auto line = input.rest();
  std::string document = "before";
  std::string label = "before";
  const auto problem = fields.read(line, document, label);
  const auto tree = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (problem) {
    fuzz::require(!problem->empty(), "a problem without a word");
    fuzz::require(document == "before" && label == "before", "a refused line sets a field");
    return 0;
  }
  fuzz::require(tree.is_object() && tree.contains("text") && tree["text"].is_string(), "a line that is none is read");
  fuzz::require(tree["text"] == document, "the document is another one");
  fuzz::require(document.find('\0') == std::string::npos, "the document holds a zero byte");
  if (!has_label) {
    fuzz::require(label == "before", "a label is set that is not asked for");
  } else if (tree["label"].is_string()) {
    fuzz::require(tree["label"] == label, "the label is another one");
  } else {
    fuzz::require(nlohmann::json::parse(label) == tree["label"], "the label is another value");
  }
  return 0;
}
