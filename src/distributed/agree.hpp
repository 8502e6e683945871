#pragma once

#include <ATen/ops/from_blob.h>
#include <c10/util/Exception.h>

#include <cstdint>
#include <string>

#include "packseq/distributed/communicator.hpp"

namespace packseq::distributed::detail {

/// Throws, on every rank, the first problem that a rank has; an empty text is none.
inline void check_problems(Communicator& communicator, const std::string& problem) {
  for (const std::string& of_rank : communicator.gather(problem)) TORCH_CHECK_VALUE(of_rank.empty(), of_rank);
}

/// The text of rank 0.
inline std::string text_of_first(Communicator& communicator, std::string text) {
  auto size = static_cast<std::int64_t>(text.size());
  communicator.broadcast(at::from_blob(&size, {1}, at::kLong));
  text.resize(static_cast<std::size_t>(size));
  communicator.broadcast(at::from_blob(text.data(), {size}, at::kByte));
  return text;
}

/// Refuses, on every rank, a text that is not on all of them that of rank 0; `difference(own, first)` says how they
/// differ.
template <class Difference>
void check_same(Communicator& communicator, const std::string& text, const Difference& difference) {
  const std::string first = text_of_first(communicator, text);
  check_problems(communicator, text == first ? std::string() : difference(text, first));
}

}  // namespace packseq::distributed::detail
