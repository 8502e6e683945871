#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <vector>

namespace packseq::cli {

/// Energy cannot be measured; says why, and where there is one, the way out.
class Unmeasurable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The counters of energy that Linux keeps of the processors, Intel's and AMD's: RAPL, in its framework powercap
/// (https://docs.kernel.org/power/powercap/powercap.html).
///
/// One for each package. Those of a package's parts are left out, as their energy is in the package's or, of memory,
/// beside it; so is the whole platform's, which has the packages in it.
class EnergyCounters {
 public:
  /// What each stands at, in microjoules.
  using Reading = std::vector<std::uint64_t>;

  /// Finds them in `directory`, laid out as /sys/class/powercap; none where there is no such directory.
  /// @throws Unmeasurable if there is one that cannot be read.
  explicit EnergyCounters(const std::filesystem::path& directory);

  std::size_t packages() const noexcept { return counters_.size(); }

  /// @throws Unmeasurable if one cannot be read.
  Reading read() const;

  /// Joules of all packages between two readings that are `seconds` apart. A counter that has come to the end of its
  /// range has begun anew.
  /// @throws Unmeasurable if one may have done so twice.
  double joules(const Reading& begin, const Reading& end, double seconds) const;

 private:
  struct Counter {
    std::filesystem::path file;
    std::uint64_t range;  // microjoules
  };

  std::vector<Counter> counters_;
};

}  // namespace packseq::cli
