#pragma once

#include <malloc.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace packseq::bench {

/// A line of /proc/self/status, in bytes: "VmRSS" is what the process has in memory, "VmHWM" the most that it had.
/// @throws std::runtime_error if there is no such line, or no such file: only Linux has it.
inline std::int64_t process_memory(std::string_view name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name)) return std::strtoll(line.c_str() + name.size() + 1, nullptr, 10) * 1024;
  }
  throw std::runtime_error("/proc/self/status has no " + std::string(name));
}

/// By how much this process grows while `run` runs, at its largest.
template <class Run>
std::int64_t growth(const Run& run) {
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << 5;  // VmHWM starts anew
  const auto before = process_memory("VmRSS");
  run();
  return process_memory("VmHWM") - before;
}

}  // namespace packseq::bench
