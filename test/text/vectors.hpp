#pragma once

#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "packseq/text/word_vectors.hpp"

namespace packseq::test {

using Rows = std::vector<std::pair<std::string, std::vector<float>>>;

/// All that a reader gives.
inline Rows all_rows(WordVectorReader& reader) {
  Rows rows;
  while (const auto row = reader.next()) {
    rows.emplace_back(row->word, std::vector<float>(row->vector.begin(), row->vector.end()));
  }
  return rows;
}

/// All rows of a file that holds these bytes.
inline Rows rows_of(const std::string& bytes, const WordVectorOptions& options = {}) {
  std::istringstream stream(bytes);
  WordVectorReader reader(stream, "words.vec", options);
  return all_rows(reader);
}

}  // namespace packseq::test
