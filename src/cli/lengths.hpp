#pragma once

#include <cstdint>
#include <map>

namespace packseq::cli {

/// How many documents of each length there are: of a text of any size, as much memory as it has different lengths.
class Lengths {
 public:
  void add(std::int64_t length) { ++counts_[length]; }

  std::int64_t documents() const;
  std::int64_t tokens() const;

  /// There is a document.
  std::int64_t longest() const { return counts_.rbegin()->first; }

  /// The length that is `rank` places behind the shortest one, in increasing order.
  std::int64_t at(std::int64_t rank) const;

  /// Documents by length, in increasing order.
  const std::map<std::int64_t, std::int64_t>& counts() const noexcept { return counts_; }

 private:
  std::map<std::int64_t, std::int64_t> counts_;
};

}  // namespace packseq::cli
