#pragma once

#include <cstdint>
#include <fstream>
#include <string>

namespace packseq::test {

/// What the process holds in memory, in KiB; 0 where the system does not tell.
inline std::int64_t resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "VmRSS:") {
      std::int64_t kib = 0;
      status >> kib;
      return kib;
    }
  }
  return 0;
}

}  // namespace packseq::test
