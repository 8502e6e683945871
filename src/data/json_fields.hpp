#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "packseq/export.hpp"

namespace packseq::data::detail {

/// Takes fields out of lines that are JSON objects (JSON Lines, RFC 8259).
class PACKSEQ_EXPORT JsonFields {
 public:
  /// `label` is empty if there is none.
  JsonFields(std::string document, std::string label) : document_(std::move(document)), label_(std::move(label)) {}

  /// Sets the texts of these fields from a line: of strings their text, of a label that is a number or a truth value
  /// what the line says. Returns what is wrong, if something is: then they are not set.
  std::optional<std::string> read(std::string_view line, std::string& document, std::string& label) const;

 private:
  std::string document_;
  std::string label_;
};

}  // namespace packseq::data::detail
