#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "packseq/text/vocab.hpp"

namespace packseq::test {

/// All tokens, in order of ids.
inline std::vector<std::string> tokens(const Vocab& vocab) {
  std::vector<std::string> result;
  for (std::int64_t id = 0; id < vocab.size(); ++id) result.emplace_back(vocab.token(id));
  return result;
}

}  // namespace packseq::test
