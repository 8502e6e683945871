#pragma once

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>

namespace packseq::test {

/// What the system tells of the process's memory under this name, in KiB; 0 where it does not.
inline std::int64_t status_kib(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == name + ':') {
      std::int64_t kib = 0;
      status >> kib;
      return kib;
    }
  }
  return 0;
}

/// What the process holds in memory, in KiB; 0 where the system does not tell.
inline std::int64_t resident_kib() { return status_kib("VmRSS"); }

/// How much more than before the process holds in memory, at most, while it does `action`, in KiB; none where the
/// system does not tell.
template <class Action>
std::optional<std::int64_t> peak_kib(const Action& action) {
  if (!(std::ofstream("/proc/self/clear_refs") << 5 << std::flush)) return {};  // forgets the most so far
  const auto before = resident_kib();
  action();
  return status_kib("VmHWM") - before;
}

}  // namespace packseq::test
