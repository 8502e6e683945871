#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "packseq/export.hpp"

namespace packseq::data::detail {

/// Whether a line is no token, but between documents: "-DOCSTART-", alone or with other columns, in CoNLL 2003;
/// "#begin document", likewise, and "#end document" in CoNLL 2012.
PACKSEQ_EXPORT bool is_between_documents(std::string_view line);

/// Judges by its first lines whether a file that is read as documents is a column file. It would rather miss one than
/// suspect a text.
///
/// Signs are a first line of "-DOCSTART-", "#begin document" or "#end document"; lines as of CoNLL-U; lines of as many
/// columns each, whose last ones are the tags of spans; or, where blank lines are between groups of lines, such whose
/// last ones look like parts of speech, and change within a group.
class PACKSEQ_EXPORT ColumnSigns {
 public:
  /// Takes the next document, one line or several, which begins on this line. True once it is sure.
  bool see(std::string_view document, std::int64_t line);

  /// Whether it is sure, now that there is no more.
  bool end();

 private:
  bool is_judged_ = false;
  std::int64_t next_line_ = 0;  // where the next document begins if no blank line is before it
  std::size_t lines_ = 0;       // that are seen
  std::size_t columns_ = 0;     // of each of them
  std::size_t numbered_ = 0;    // those as of CoNLL-U, one after the other
  bool are_spans_ = true;       // so far, the last columns,
  bool are_tags_ = true;        // likewise
  bool has_words_ = false;      // in small letters in a first column, with a tag that has letters
  bool tags_differ_ = false;    // within a group
  std::string last_tag_;        // of the group

  bool see_line(std::string_view line);
  bool see_end_of_group();
};

}  // namespace packseq::data::detail
