#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "cli/energy_counters.hpp"

namespace packseq::cli {

/// What is known of the energy of a comparison.
struct Metering {
  std::size_t packages = 0;  ///< Those whose counters were found.
  double idle_watts = 0;     ///< What they take when nothing is run, which is subtracted.
  std::string failure = {};  ///< Why nothing was measured though there are counters.

  bool measured() const { return packages > 0 && failure.empty(); }
};

/// Measures what passes take, as long as it can: what goes wrong ends the metering, not the comparison.
class EnergyMeter {
 public:
  /// Looks for counters in `directory`, laid out as /sys/class/powercap, and for half a second at what they count while
  /// nothing is run.
  explicit EnergyMeter(const std::filesystem::path& directory);

  /// A pass begins.
  void begin();

  /// It has ended: joules above those of the idle machine, unless they are not known.
  std::optional<double> end();

  /// Takes back what was measured, and says why.
  void fail(const std::string& reason) { metering_.failure = reason; }

  const Metering& metering() const noexcept { return metering_; }

 private:
  using Clock = std::chrono::steady_clock;

  /// Joules since `begin`, and how long that was.
  struct Interval {
    double joules;
    double seconds;
  };

  void start();
  Interval elapsed() const;
  void find_idle_watts();

  std::optional<EnergyCounters> counters_;
  EnergyCounters::Reading reading_;
  Clock::time_point time_;
  Metering metering_;
};

}  // namespace packseq::cli
